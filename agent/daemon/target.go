package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// readyTarget is what depends on the role waits for.
const readyTarget = "reveille-ready.target"

// targetPath holds the id of the boot in which the target was reached, or
// started by the agent: one that a person stops afterwards stays stopped.
const targetPath = "/run/reveille/ready-target"

// target is how far the agent has come with it in this boot.
type target struct {
	busy atomic.Bool
	done atomic.Bool
}

// reachTarget starts the target where readiness came after whoever waited for
// it had given up, or nobody has asked systemd to wait at all. It looks at
// systemd beside the loop, and waits for no job.
func (l *loop) reachTarget(ctx context.Context) {
	if l.report.State != api.Ready && l.report.State != api.Degraded || l.target.done.Load() || l.target.busy.Swap(true) {
		return
	}
	boot := l.report.BootID
	l.work.Go(func() {
		defer l.target.busy.Store(false)
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		done, err := startTarget(ctx, l.Host, boot)
		if err != nil {
			l.log().Warn("what depends on the role may not be started yet; it is tried again", "error", err)
		}
		l.target.done.Store(done)
	})
}

// startTarget says whether nothing is left to be done for the target in this
// boot.
func startTarget(ctx context.Context, h *host.Host, boot string) (done bool, err error) {
	if bootNoted(h, targetPath, boot) {
		return true, nil
	}
	state, err := h.Units().State(ctx, readyTarget)
	if err != nil {
		return false, err
	}
	switch state {
	case "absent", "masked":
		return false, nil // it may yet be installed
	case "activating":
		return false, nil // whoever waits for the report is about to see it
	case "active":
	default:
		if err := h.Units().Enqueue(ctx, "start", readyTarget); err != nil {
			return false, err
		}
	}
	return true, noteBoot(h, targetPath, boot)
}
