package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"reveille/bootstrap/host"
)

// disks is what the goroutine that listens for them knows.
type disks struct {
	mu      sync.Mutex
	wanted  bool // the last plan has to do with disks
	decided bool // there is a last plan
	missed  bool // some changed since facts were read for the first
}

// changed says that a pass should look at disks that have changed.
func (d *disks) changed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missed = d.missed || !d.decided
	return d.wanted
}

// reading says that the facts are about to be read: whatever came until now is
// part of them.
func (d *disks) reading() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missed = false
}

// planned takes what a plan has to do with disks, and says that some changed
// while nobody knew whether that matters.
func (d *disks) planned(wanted bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	missed := wanted && d.missed
	d.wanted, d.decided, d.missed = wanted, true, false
	return missed
}

// listenDisks asks for a pass when a disk comes, goes or grows, on a machine
// whose role has to do with disks.
func (l *loop) listenDisks(ctx context.Context) {
	ask := func(kernel string) {
		if l.disks.changed() {
			l.log().Info("disks changed", "disk", kernel)
			l.asks.add(Device)
		}
	}
	for ctx.Err() == nil {
		err := l.Host.Disks().Changes(ctx, ask)
		if ctx.Err() != nil || errors.Is(err, host.ErrOffline) {
			return
		}
		l.log().Warn("a disk that comes or goes is unnoticed until the next look", "again_in", relisten, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
			ask("") // what has changed meanwhile was told to nobody
		}
	}
}
