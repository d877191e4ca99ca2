package daemon

import (
	"context"
	"errors"
	"time"

	"reveille/bootstrap/host"
)

// listenDisks asks for a pass when a disk comes, goes or grows, on a machine
// whose role has to do with disks.
func (l *loop) listenDisks(ctx context.Context) {
	ask := func(kernel string) {
		if l.disks.Load() {
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
