package daemon

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// network is what the goroutines beside the loop know of the instance's own.
type network struct {
	macs atomic.Pointer[map[string]bool] // nil before any facts
	imds atomic.Pointer[[]netip.Addr]    // nil where the crawl needs no route
}

// own notes the interfaces that IMDS lists. A crawl that did not say leaves
// those of the one before.
func (n *network) own(f facts.Fact[[]facts.Interface]) {
	all, ok := f.Get()
	if !ok || len(all) == 0 {
		return
	}
	macs := map[string]bool{}
	for _, i := range all {
		macs[i.MAC] = true
	}
	n.macs.Store(&macs)
}

// isOwn says that a change of this interface's addresses is the instance's. As
// long as IMDS has said nothing, that is any which is not made by software.
func (n *network) isOwn(l host.Link) bool {
	if macs := n.macs.Load(); macs != nil {
		return (*macs)[l.MAC]
	}
	return !l.Virtual
}

// relisten is how long after a failure the kernel is listened to again.
const relisten = time.Minute

// listen asks for a pass when an address of the instance changes.
func (l *loop) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.Host.Links().Addresses(ctx, func(link host.Link) {
			if l.network.isOwn(link) {
				l.log().Info("an address changed", "interface", link.Name, "mac", link.MAC)
				l.asks.add(Address)
			}
		})
		if ctx.Err() != nil || errors.Is(err, host.ErrOffline) {
			return
		}
		l.log().Warn("a changed address goes unnoticed until the next look", "again_in", relisten, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
			l.asks.add(Address) // what has changed meanwhile was told to nobody
		}
	}
}

// awaitNetwork is how a pass of the daemon waits for a way to IMDS.
func (l *loop) awaitNetwork(ctx context.Context, to []netip.Addr) error {
	l.network.imds.Store(&to)
	l.status("waiting for a way to the metadata service")
	err := awaitRoute(ctx, l.Host, to)
	if err == nil {
		l.status("reading the metadata service")
	}
	// Whatever came until now is what the crawl is about to see.
	l.asks.forget(Address)
	l.asks.forget(Device)
	l.disks.reading()
	return err
}

// noteAddress asks for a pass that may do something about a changed address,
// where a look came upon one that no event told of: the boot pass knew the kept
// facts alone, or the kernel could not be listened to.
func (l *loop) noteAddress(e ending) {
	now, ok := e.out.Wanted.Facts.Instance.PrivateIP.Get()
	switch {
	case !ok || !e.out.Done:
	case e.kind != Timer:
		l.address = now
	case l.address != "" && now != l.address:
		l.asks.add(Address)
	}
}

// awaitLost asks for the boot pass again once there is a way to IMDS, where the
// one before found none in its time.
func (l *loop) awaitLost(ctx context.Context) {
	to := l.network.imds.Load()
	if why, _ := l.last.Facts.Instance.ID.Why(); l.booted || why != facts.NoRoute || to == nil || l.lost.Swap(true) {
		return
	}
	l.work.Go(func() {
		defer l.lost.Store(false)
		if l.Host.Links().AwaitRoute(ctx, *to) == nil {
			l.asks.add(Boot)
		}
	})
}

// startPoll asks IMDS what else may have changed, beside the loop.
func (l *loop) startPoll(ctx context.Context) {
	if l.poll == nil {
		return
	}
	l.work.Go(func() { l.polled <- l.poll(ctx) })
}

// endPoll asks for a look where something has. It is a look that no person
// asked for: it shows a name or a role that was changed as drift, and heeds a
// brake.
func (l *loop) endPoll(ctx context.Context, w facts.Watched) {
	if l.passing == nil {
		l.polls.Reset(jitter(l.Times.Poll))
	}
	l.reachTarget(ctx)
	heard := w.Tags.IsKnown() || w.Tags.IsAbsent()
	now, changed := w.Since(l.watched)
	l.watched = now
	switch {
	case changed != "":
		l.log().Info("looking again", "why", changed)
		l.asks.add(Timer)
	case heard && l.last.Facts.Source != facts.FromIMDS:
		l.asks.add(Timer) // IMDS is back; as long as no boot pass has decided, it is one
	}
}
