package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a held lock is tried again.
const lockPoll = 20 * time.Millisecond

// Lock takes the lock at a path and waits for it no longer than ctx. The
// kernel frees it when the process dies, however it dies. The file stays, with
// its last holder's process number in it for people who look.
func (h *Host) Lock(ctx context.Context, path string) (release func(), err error) {
	real, err := h.prepare(path)
	if err != nil {
		return nil, err
	}
	f, err := openLock(real)
	if err != nil {
		return nil, h.fail("lock", path, err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && inPlace(f, real) {
			break
		}
		if err == nil {
			// Its holder has removed it, as a clean does, and the next one
			// would lock another file of the same name.
			_ = f.Close()
			if real, err = h.prepare(path); err != nil {
				return nil, err
			}
			if f, err = openLock(real); err != nil {
				return nil, h.fail("lock", path, err)
			}
			continue
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(h.fail("lock", path, err), f.Close())
		}
		select {
		case <-ctx.Done():
			err := fmt.Errorf("lock %s: held by %s: %w", path, holder(f), ctx.Err())
			return nil, errors.Join(err, f.Close())
		case <-time.After(lockPoll):
		}
	}
	// Only for people; a full disk must not keep a pass from running.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return func() { _ = f.Close() }, nil
}

func openLock(real string) (*os.File, error) {
	return os.OpenFile(real, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
}

// inPlace says that an open file is still the one of its name.
func inPlace(f *os.File, real string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(real)
	return err == nil && os.SameFile(held, named)
}

func holder(f *os.File) string {
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}
