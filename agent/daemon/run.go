package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
	"reveille/roles"
)

// Daemon makes the boot pass, says that the machine is up, and stays: it looks
// again from time to time, and whenever somebody or something asks.
type Daemon struct {
	agent.Config
	Notify   func(state string) error // in sd_notify's words; nil: nobody listens
	Watchdog time.Duration            // a sign of life is wanted this often; zero: nobody watches
	Hup      <-chan os.Signal         // a person asks for a look; nil: nobody can
	Times    Times

	// For tests, whose clock stands still while a goroutine waits for the kernel.
	poll  func(context.Context) facts.Watched // nil: asks IMDS
	blind bool                                // who writes files is not watched
}

// loop is a daemon at work. Its fields belong to the goroutine of Run.
type loop struct {
	Daemon
	asks    *asks
	network *network
	teller  *teller
	writers *host.Writers  // who writes files; nil: nobody can tell
	work    sync.WaitGroup // what runs beside the loop, but for passes

	booted  bool         // this boot's boot pass has decided, and walked to its end
	last    agent.Wanted // of the last pass that came to a report
	report  api.Report   // … its report
	whom    []string     // … and who was to be told of it
	lost    atomic.Bool  // a way to IMDS is waited for
	disks   disks        // whether disks that come matter
	address string       // the private one that files were last made for
	growth  string       // what could grow, as the last timer's look came upon it
	watched facts.Watched
	polled  chan facts.Watched
	polls   *time.Timer // the next poll; stopped while one is under way
	target  target
	scripts *roles.Scripts // of the last pass that came to a profile

	passing context.CancelFunc // ends the pass under way; nil where none is
	since   time.Time          // … began
	ended   chan ending
	over    time.Time   // the last pass's end
	begin   *time.Timer // the next pass; stopped where nobody asks
	armed   bool        // … it is set
	again   *time.Timer // the look that nobody asked for
	failed  int         // boot passes in a row that decided nothing

	ready     sync.Mutex // of readyTold, as a pass tells it too
	readyTold bool
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
	inner, cancel := context.WithCancel(ctx)
	l := d.newLoop()
	defer l.work.Wait()
	defer cancel()
	defer l.teller.close()
	l.work.Go(func() { l.listen(inner) })
	l.work.Go(func() { l.listenDisks(inner) })
	if !l.blind {
		writers, unwatch := watchWriters(l.Host)
		l.writers = writers
		defer unwatch()
	}
	readyBy := time.NewTimer(l.Times.ReadyBy)
	defer readyBy.Stop()
	alive, stop := l.watchdog()
	defer stop()
	defer l.stopTimers()
	l.start(ctx, l.firstKind())
	for {
		wake := l.asks.wake
		if l.passing != nil {
			wake = nil // whatever is asked meanwhile waits for the pass to end
		}
		select {
		case <-ctx.Done():
			return l.stop()
		case <-readyBy.C:
			if !l.tellReady() {
				readyBy.Reset(readyAgain)
			}
		case <-alive:
			l.live()
		case <-l.Hup:
			l.asks.add(Hup)
		case <-l.again.C:
			l.asks.add(Timer)
		case <-l.polls.C:
			l.startPoll(inner)
		case w := <-l.polled:
			l.endPoll(inner, w)
		case <-wake:
			l.soon()
		case <-l.begin.C:
			l.start(ctx, l.asks.take())
		case e := <-l.ended:
			if err := l.end(inner, e); err != nil {
				return err
			}
		}
	}
}

func (d Daemon) newLoop() *loop {
	l := &loop{Daemon: d, asks: newAsks(), network: &network{}, ended: make(chan ending, 1), polled: make(chan facts.Watched, 1)}
	l.Times = d.Times.withDefaults()
	l.booted = bootedNow(d.Host)
	l.begin, l.again, l.polls = stopped(), stopped(), stopped()
	l.teller = newTeller(d.Host, l.log())
	if l.Facts.Ready == nil {
		l.Facts.Ready = l.awaitNetwork
	}
	if l.poll == nil && l.FactsFile == "" {
		l.poll = func(ctx context.Context) facts.Watched { return facts.Poll(ctx, l.Facts) }
	}
	return l
}

func (l *loop) stopTimers() {
	l.begin.Stop()
	l.again.Stop()
	l.polls.Stop()
}

// soon sets the time of the pass that is asked for. A second question does not
// put it off: who asks all the time must get an answer too.
func (l *loop) soon() {
	if !l.armed {
		l.armed = true
		last := l.over
		if !l.booted {
			last = l.since // it may have waited all its time for the event that asks now
		}
		l.begin.Reset(max(l.Times.Debounce, l.Times.Apart-time.Since(last)))
	}
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
	l.armed = false
	if kind == "" || l.passing != nil {
		return
	}
	if !l.booted {
		kind = Boot // what it could not decide is still to be done
	}
	ctx, l.passing = context.WithTimeoutCause(ctx, l.Times.Pass, fmt.Errorf("the pass did not end within %s", l.Times.Pass))
	l.since = time.Now()
	l.stopTimers()
	p := Pass{Config: l.Config, Kind: kind, Tell: true, Watch: l.watch(), Writers: l.writers, teller: l.teller}
	go func() {
		out, err := p.Run(ctx)
		l.ended <- ending{kind, out, err}
	}()
	l.status("%s pass: reading what this machine should be", kind)
}

// end takes a pass's outcome and says when the next look is due.
func (l *loop) end(ctx context.Context, e ending) error {
	l.passing()
	l.passing, l.over = nil, time.Now()
	l.logPass(e)
	if errors.Is(e.err, fs.ErrPermission) && !l.booted {
		return e.err
	}
	l.booted = l.booted || e.out.Done
	l.tellReady()
	if e.err == nil {
		l.last, l.report, l.whom = e.out.Wanted, e.out.Report, e.out.Whom
		l.watched, _ = l.last.Facts.Instance.Watched().Since(l.watched)
		l.network.own(l.last.Facts.Instance.Interfaces)
		if len(l.last.Plan) > 0 && l.disks.planned(wantsDisks(l.last.Plan)) {
			l.asks.add(Device) // what came during the pass it could not know of
		}
		l.noteAddress(e)
		l.noteGrowth(e)
		l.noteScripts(e.out)
		l.reachTarget(ctx)
		l.awaitLost(ctx)
		l.lookBack(ctx, e)
		l.lateCloudInit(ctx, e)
	}
	next := l.nextLook()
	l.again.Reset(next)
	l.polls.Reset(jitter(l.Times.Poll))
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

func (l *loop) log() *slog.Logger { return Pass{Config: l.Config}.log() }
