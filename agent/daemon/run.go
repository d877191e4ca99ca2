package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"reveille/agent"
	"reveille/bootstrap/host"
)

// Daemon makes the boot pass, says that the machine is up, and stays: it looks
// again from time to time, and whenever somebody or something asks.
type Daemon struct {
	agent.Config
	Notify   func(state string) error // in sd_notify's words; nil: nobody listens
	Watchdog time.Duration            // a sign of life is wanted this often; zero: nobody watches
	Hup      <-chan os.Signal         // a person asks for a look; nil: nobody can
	Times    Times
}

// loop is a daemon at work. Its fields belong to the goroutine of Run.
type loop struct {
	Daemon
	asks   *asks
	booted bool // this boot's boot pass has decided and walked

	writers *host.Writers // who writes files; nil: nobody can tell

	passing context.CancelFunc // ends the pass under way; nil where none is
	since   time.Time          // … began
	ended   chan ending
	over    time.Time   // the last pass's end
	begin   *time.Timer // the next pass; stopped where nobody asks
	again   *time.Timer // the look that nobody asked for
	failed  int         // boot passes in a row that decided nothing

	ready sync.Once
}

// ending is how a pass ended.
type ending struct {
	kind Kind
	out  Outcome
	err  error
}

// Run makes passes until ctx ends. The error says that no pass can be made by
// this process at all.
func (d Daemon) Run(ctx context.Context) error {
	l := d.newLoop()
	writers, unwatch := watchWriters(l.Host)
	l.writers = writers
	defer unwatch()
	readyBy := time.NewTimer(l.Times.ReadyBy)
	defer readyBy.Stop()
	alive, stop := l.watchdog()
	defer stop()
	defer l.begin.Stop()
	defer l.again.Stop()
	l.start(ctx, l.firstKind())
	for {
		wake := l.asks.wake
		if l.passing != nil {
			wake = nil // whatever is asked meanwhile waits for the pass to end
		}
		select {
		case <-ctx.Done():
			return l.stop(ctx)
		case <-readyBy.C:
			l.tellReady()
		case <-alive:
			l.live()
		case <-l.Hup:
			l.asks.add(Hup)
		case <-l.again.C:
			l.asks.add(Timer)
		case <-wake:
			l.begin.Reset(max(l.Times.Debounce, l.Times.Apart-time.Since(l.over)))
		case <-l.begin.C:
			l.start(ctx, l.asks.take())
		case e := <-l.ended:
			if err := l.end(e); err != nil {
				return err
			}
		}
	}
}

func (d Daemon) newLoop() *loop {
	l := &loop{Daemon: d, asks: newAsks(), ended: make(chan ending, 1)}
	l.Times = d.Times.withDefaults()
	l.booted = bootedNow(d.Host)
	l.begin, l.again = stopped(), stopped()
	return l
}

// stopped is a timer that is yet to be set.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// firstKind is a boot pass, unless this boot's has been made: then the agent
// was started anew, by a person or a package, which is a reason like a signal.
func (l *loop) firstKind() Kind {
	if l.booted {
		return Hup
	}
	return Boot
}

// start begins a pass in a goroutine of its own: a pass that hangs must not
// keep the daemon from saying so.
func (l *loop) start(ctx context.Context, kind Kind) {
	if kind == "" || l.passing != nil {
		return
	}
	if !l.booted {
		kind = Boot // what it could not decide is still to be done
	}
	ctx, l.passing = context.WithTimeoutCause(ctx, l.Times.Pass, fmt.Errorf("the pass did not end within %s", l.Times.Pass))
	l.since = time.Now()
	l.begin.Stop()
	l.again.Stop()
	p := Pass{Config: l.Config, Kind: kind, Tell: true, Watch: l.watch(), Writers: l.writers}
	go func() {
		out, err := p.Run(ctx)
		l.ended <- ending{kind, out, err}
	}()
	l.status("%s pass: reading what this machine should be", kind)
}

// end takes a pass's outcome and says when the next look is due.
func (l *loop) end(e ending) error {
	l.passing()
	l.passing, l.over = nil, time.Now()
	l.logPass(e)
	first := !l.booted
	l.booted = l.booted || e.out.Decided
	if e.err != nil && errors.Is(e.err, fs.ErrPermission) && first {
		return e.err
	}
	l.tellReady()
	next := l.nextLook()
	l.again.Reset(next)
	l.status("%s; looks again by %s", outcomeWords(e), time.Now().Add(next).Format("15:04:05"))
	return nil
}

// nextLook is the time to the look that nobody asks for. A boot pass that could
// decide nothing is made again sooner, and ever less soon.
func (l *loop) nextLook() time.Duration {
	if l.booted {
		l.failed = 0
		return jitter(l.Times.Every)
	}
	wait := min(l.Times.Apart<<min(l.failed, 10), l.Times.Every)
	l.failed++
	return jitter(wait)
}

// stop ends the pass under way. A tool that it has started goes on by itself,
// and so does not keep the daemon.
func (l *loop) stop(context.Context) error {
	l.notify("STOPPING=1\nSTATUS=stopping")
	if l.passing == nil {
		return nil
	}
	l.passing()
	select {
	case e := <-l.ended:
		l.logPass(e)
	case <-time.After(l.Times.Stop):
		l.log().Warn("a pass was left behind in its middle; the next start goes on from what it finds")
	}
	return nil
}

func (l *loop) log() *slog.Logger { return Pass{Config: l.Config}.log() }
