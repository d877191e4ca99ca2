package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"reveille/agent"
)

// LockPath is held by whoever changes the machine: one pass at a time.
const LockPath = "/run/reveille/lock"

// lockWait bounds the wait for another pass. It is longer than most passes and
// much shorter than a person's patience.
const lockWait = 30 * time.Second

// lock is taken by whoever changes the machine, and for the whole of it.
func lock(ctx context.Context, c agent.Config) (func(), error) { return lockWithin(ctx, c, lockWait) }

// lockWithin is lock for who can wait for less.
func lockWithin(ctx context.Context, c agent.Config, within time.Duration) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	release, err := c.Host.Lock(ctx, LockPath)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("another pass is under way and did not end within %s; `systemctl stop reveille` ends the daemon's: %w", within, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("no pass can begin without its lock; run this as root: %w", err)
	case err != nil:
		return nil, fmt.Errorf("no pass can begin without its lock: %w", err)
	}
	return release, nil
}
