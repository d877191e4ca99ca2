package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// accountsLock is what glibc's lckpwdf locks: useradd and its like, and
// systemd-sysusers, hold it from reading /etc/passwd and /etc/group to writing
// them, and what is written meanwhile by others would be lost.
const accountsLock = "/etc/.pwd.lock"

// LockAccounts takes that lock, and waits for it no longer than ctx. Where the
// file is not there nobody has ever taken it, and nothing is made.
func (h *Host) LockAccounts(ctx context.Context) (release func(), err error) {
	real, err := h.toRead(accountsLock)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(real, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, h.fail("lock", accountsLock, err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0}
	for {
		// Bound to this open file and not to the process: other goroutines of
		// ours are kept out as well.
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(h.fail("lock", accountsLock, err), f.Close())
		}
		select {
		case <-ctx.Done():
			err := fmt.Errorf("lock %s: useradd or its like is at work and does not end; the next pass tries again: %w", accountsLock, ctx.Err())
			return nil, errors.Join(err, f.Close())
		case <-time.After(lockPoll):
		}
	}
}
