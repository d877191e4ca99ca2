package api

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// lane is one coordinator of a Sender.
type lane struct {
	url     string
	send    func(context.Context, Report) error
	release func()
	log     *slog.Logger
	ctx     context.Context // ends when the Sender is closed
	wg      *sync.WaitGroup
	once    bool          // no second attempt at the same report
	settled func()        // called after each attempt
	poke    chan struct{} // size 1: try now

	mu      sync.Mutex
	newest  *Report       // not yet taken by the coordinator; nil when it has all
	idle    chan struct{} // closed when the worker ends; nil while none runs
	last    error         // of the last attempt; nil after a success
	refused error         // the newest report was refused for good
	closed  bool
}

func newLane(ctx context.Context, url string, send func(context.Context, Report) error, release func(), wg *sync.WaitGroup, o SenderOptions) *lane {
	l := &lane{url: url, once: o.Once, settled: o.Settled, send: send, release: release, log: o.Log.With("coordinator", url), ctx: ctx, wg: wg,
		poke: make(chan struct{}, 1)}
	if l.settled == nil {
		l.settled = func() {}
	}
	return l
}

func (l *lane) offer(r Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest, l.refused = &r, nil
	if l.idle != nil || l.closed {
		return // the worker that runs will see it
	}
	l.idle = make(chan struct{})
	l.wg.Go(l.work)
}

// hurry ends a pause between attempts. The channel is closed once nothing is
// left to be sent.
func (l *lane) hurry() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	select {
	case l.poke <- struct{}{}:
	default:
	}
	return l.idle
}

// work sends until there is nothing left to be sent, or the Sender is closed.
func (l *lane) work() {
	failures := 0
	for {
		r := l.next()
		if r == nil {
			return
		}
		err := l.send(l.ctx, *r)
		done := l.settle(r, err)
		l.settled()
		if done {
			failures = 0
			continue
		}
		failures++
		if l.ctx.Err() == nil && failures == 1 {
			l.log.Warn("report not taken", "error", err, "again", !l.once)
		}
		if l.once && l.giveUp(r) {
			return
		}
		pause := time.NewTimer(backoff(failures, err))
		select {
		case <-pause.C:
		case <-l.poke:
		case <-l.ctx.Done():
		}
		pause.Stop()
	}
}

// giveUp ends the worker with the report unsent, unless a newer one has come.
func (l *lane) giveUp(r *Report) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.newest != r {
		return false
	}
	close(l.idle)
	l.idle = nil
	return true
}

// next is the report to be sent; nil ends the worker, under the same lock that
// offer takes, so that no report falls between the two.
func (l *lane) next() *Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.newest != nil && l.ctx.Err() == nil {
		return l.newest
	}
	select {
	case <-l.poke: // it was for what has been sent meanwhile
	default:
	}
	close(l.idle)
	l.idle = nil
	return nil
}

// settle notes how an attempt ended, and says whether that report is done with.
func (l *lane) settle(r *Report, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() == nil || err == nil {
		l.last = err // the attempt that Close cut short says nothing new
	}
	final := err != nil && Final(err)
	if err != nil && !final {
		return false
	}
	if final {
		l.log.Error("report refused, it is not sent again", "error", err)
	}
	if l.newest == r { // else a newer one came while this was on its way
		l.newest, l.refused = nil, err
	}
	return true
}

// outcome is nil if the coordinator has the newest report.
func (l *lane) outcome(ctxErr error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.newest == nil {
		return l.refused
	}
	return unsentError(l.url, l.last, ctxErr)
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
