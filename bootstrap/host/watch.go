package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Watch tells of changes in folders, so that nobody has to look again and
// again. It tells that something happened, not what: whoever waits looks.
type Watch struct {
	h      *Host
	f      *os.File
	events chan struct{}
}

// watched is what makes a reader look again: a file that is whole, and a name
// that came, went or leads elsewhere.
const watched = unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// Watch begins to watch these folders. Close it.
func (h *Host) Watch(dirs ...string) (*Watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch %v: %w", dirs, err)
	}
	w := &Watch{h: h, f: os.NewFile(uintptr(fd), "inotify"), events: make(chan struct{}, 1)}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			return nil, errors.Join(err, w.f.Close())
		}
	}
	go w.read()
	return w, nil
}

// Add watches one more folder; one that is watched already is no error. Of a
// folder that is not there the nearest one above it is watched: add it again
// at the next event.
func (w *Watch) Add(dir string) error {
	for {
		real, err := w.h.real(dir)
		if err != nil {
			return err
		}
		raw, err := w.f.SyscallConn()
		if err != nil {
			return w.h.fail("watch", dir, err)
		}
		var added error
		if err := raw.Control(func(fd uintptr) { _, added = unix.InotifyAddWatch(int(fd), real, watched) }); err != nil {
			return w.h.fail("watch", dir, err)
		}
		if !errors.Is(added, fs.ErrNotExist) || dir == "/" {
			if added != nil {
				return w.h.fail("watch", dir, added)
			}
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// Events holds one token when something happened since the last was taken.
func (w *Watch) Events() <-chan struct{} { return w.events }

// Close ends it.
func (w *Watch) Close() error { return w.f.Close() }

// read empties the kernel's queue. An overflow of it is an event as well.
func (w *Watch) read() {
	buf := make([]byte, 16<<10)
	for {
		if _, err := w.f.Read(buf); err != nil {
			return
		}
		select {
		case w.events <- struct{}{}:
		default:
		}
	}
}
