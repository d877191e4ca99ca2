package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
)

// early are the concerns that READY waits for: with them a login finds the
// names and accounts that it should.
var early = []string{"naming", "resolver", "nameservice", "directory"}

// watch tells systemd READY once the early concerns have settled, however
// they ended, and logs each step that was not so already.
func (l *loop) watch() Watcher {
	left := 0
	return Watcher{
		Waiting: func(what string) { l.status("waiting for %s", what) },
		Planned: func(p plan.Plan) {
			for _, s := range p {
				if slices.Contains(early, s.Concern) {
					left++
				}
			}
			if left == 0 {
				l.tellReady()
			}
			l.status("walking %d steps", len(p))
		},
		Step: func(_ int, r converge.Result) {
			l.logStep(r)
			if !slices.Contains(early, r.Step.Concern) {
				return
			}
			if left--; left == 0 {
				l.tellReady()
			}
		},
	}
}

// tellReady tells systemd that what was started for the boot has been done. It
// says nothing of the role: reveille-ready.target does. It is false where the
// word did not arrive: without it systemd ends the agent.
func (l *loop) tellReady() bool {
	l.ready.Lock()
	defer l.ready.Unlock()
	if !l.readyTold {
		l.readyTold = l.notify("READY=1")
	}
	return l.readyTold
}

// status is the line in `systemctl status`.
func (l *loop) status(format string, a ...any) {
	l.notify("STATUS=" + report.Clean(fmt.Sprintf(format, a...)))
}

func (l *loop) notify(state string) bool {
	if l.Notify == nil {
		return true
	}
	err := l.Notify(state)
	if err != nil {
		l.log().Warn("the service manager was not told", "error", err)
	}
	return err == nil
}

// watchdog is a tick at which a sign of life is due: nil where nobody watches.
func (l *loop) watchdog() (<-chan time.Time, func()) {
	if l.Watchdog <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(l.Watchdog / 2)
	return t.C, t.Stop
}

// live gives a sign of life, but for a pass that is long past its own end: to
// be started anew is the remedy then.
func (l *loop) live() {
	if l.passing == nil || time.Since(l.since) < l.Times.Pass+hangs {
		l.notify("WATCHDOG=1")
		return
	}
	l.log().Error("the pass does not end; no sign of life is given, so that the agent is started anew", "since", l.since)
	l.status("stuck: the pass begun at %s does not end", l.since.Format("15:04:05"))
}

// outcomeWords is a pass's end in a line.
func outcomeWords(e ending) string {
	if e.err != nil {
		return "no pass was made: " + e.err.Error()
	}
	r := e.out.Report
	s := fmt.Sprintf("%s: %s", r.State, r.Hostname)
	if r.Role != "" {
		s += " (" + r.Role + ")"
	}
	s += fmt.Sprintf(", %s pass of %.0f ms", r.Pass, r.TookMS)
	if e.out.Held != "" {
		s += ", " + e.out.Held
	}
	if len(r.Errors) > 0 {
		s += ", " + r.Errors[0]
	} else if n := notSo(r); n != "" {
		s += ", " + n
	}
	return s
}

// notSo is the first step that is not so, and how many there are.
func notSo(r api.Report) string {
	var all []string
	for _, s := range r.Steps {
		if s.State != string(converge.OK) && s.State != string(converge.Changed) {
			all = append(all, s.ID+" "+s.State)
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	}
	return fmt.Sprintf("%s and %d more", all[0], len(all)-1)
}

func (l *loop) logStep(r converge.Result) {
	level, args := slog.LevelDebug, []any{"step", r.Step.ID(), "state", string(r.State)}
	if r.State != converge.OK {
		level = slog.LevelInfo
	}
	if !r.State.So() {
		level = slog.LevelWarn
	}
	for _, c := range r.Changes {
		args = append(args, "change", c.Say)
	}
	if r.Err != nil {
		args = append(args, "error", r.Err)
	}
	l.log().Log(context.Background(), level, "step", args...)
}

func (l *loop) logPass(e ending) {
	if e.err != nil {
		l.log().Error("no pass was made", "pass", string(e.kind), "error", e.err)
		return
	}
	r := e.out.Report
	level := slog.LevelInfo
	if r.State == api.Failed {
		level = slog.LevelWarn
	}
	l.log().Log(context.Background(), level, "pass", "pass", r.Pass, "state", string(r.State), "took_ms", r.TookMS, "errors", r.Errors, "notes", r.Notes)
}
