package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/coordinator/api"
)

// stop ends the pass under way. A startup script that it has begun is a unit of
// its own and goes on, and so does not keep the daemon. When the machine goes
// down, the role's shutdown scripts have their turn, and the coordinators hear
// of it.
func (l *loop) stop() error {
	l.notify("STOPPING=1\nSTATUS=stopping")
	if l.passing != nil {
		l.passing()
		select {
		case e := <-l.ended:
			l.logPass(e)
			// What it had decided counts, though nobody heard its end before: on a
			// machine that is young yet, no other pass has.
			if e.err == nil && e.out.Decided {
				l.last, l.report, l.whom = e.out.Wanted, e.out.Report, e.out.Whom
				l.noteScripts(e.out)
			}
		case <-time.After(l.Times.Stop):
			l.log().Warn("a pass was left behind in its middle; the next start goes on from what it finds")
		}
	}
	if l.goingDown() {
		l.sayGoodbye()
	}
	return nil
}

// goingDown says that systemd is about to end the machine, and not the agent
// alone: then shutdown.target has its job, and nothing else would give it one.
// An agent that is only started anew is gone within a second all the same, as
// systemd answers at once unless much ends with the machine.
func (l *loop) goingDown() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	state, err := l.Host.Units().State(ctx, "shutdown.target")
	if err != nil && !errors.Is(err, host.ErrOffline) {
		l.log().Warn("systemd does not say whether the machine goes down: no shutdown script is run, and nobody is told", "error", err)
	}
	return state == "active" || state == "activating"
}

// sayGoodbye tells the coordinators first: the scripts may be there to be
// waited for by others who look at what they say.
func (l *loop) sayGoodbye() {
	r := l.report
	r.State = api.Stopping
	if r.Version == 0 {
		r = report.Begin(string(Boot), facts.ReadIdentity(l.Host), time.Now())
		r.State = api.Stopping
	}
	if err := report.Save(l.Host, r); err != nil {
		l.log().Warn("that the machine goes down could not be kept", "error", err)
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		l.teller.tell(context.Background(), Outcome{Report: r, Whom: l.whom})
	}()
	l.runShutdown()
	<-told
}

// noteScripts keeps the scripts of the newest pass that came to a profile: one
// that was refused, over a document that is broken, knows none.
func (l *loop) noteScripts(out Outcome) {
	if out.Decided || out.Held != "" {
		l.scripts = out.Wanted.Profile.Scripts
	}
}

// runShutdown runs the role's scripts, unless a brake holds the machine: then
// nothing of the role's is done to it.
func (l *loop) runShutdown() {
	s := l.scripts
	if s == nil || len(s.Shutdown) == 0 {
		return
	}
	f := l.last.Facts
	if max, why := Allowed(Hup, false, facts.ReadIdentity(l.Host).Brake.On(f.InstanceID()), pauseTag(f), time.Now()); max == plan.Nothing {
		l.log().Warn("no shutdown script is run", "why", why)
		return
	}
	within := s.ShutdownTimeout
	// systemd would end the agent, and with it the scripts, in a time of its own.
	l.notify(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=running %d shutdown scripts", (within + 2*tellWithin + hangs).Microseconds(), len(s.Shutdown)))
	resource.RunShutdown(context.Background(), l.Host, s.Shutdown, within, func(e resource.ScriptEnd) {
		if e.Err != nil {
			l.log().Error("a shutdown script failed", "script", e.Path, "took", e.Took, "error", e.Err)
			return
		}
		l.log().Info("a shutdown script ended", "script", e.Path, "took", e.Took)
	})
}
