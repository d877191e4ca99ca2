package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Writers remembers which program last wrote each of some files, as the kernel
// tells it. It needs root's rights. A file that is written in another folder
// and moved into place is not seen.
type Writers struct {
	h *Host
	f *os.File

	mu    sync.Mutex
	files map[string]string // real path -> path
	last  map[string]string // path -> who
}

// Writers begins to remember. Close it.
func (h *Host) Writers() (*Writers, error) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE)
	if err != nil {
		return nil, fmt.Errorf("watch who writes files: %w", err)
	}
	w := &Writers{h: h, f: os.NewFile(uintptr(fd), "fanotify"), files: map[string]string{}, last: map[string]string{}}
	go w.read()
	return w, nil
}

// Add adds a file, whether it is there or not; its folder must be. The folder
// is what is watched, as most programs write beside a file and rename.
func (w *Writers) Add(path string) error {
	real, err := w.h.entry(path)
	if err != nil {
		return err
	}
	w.mu.Lock()
	_, known := w.files[real]
	w.files[real] = path
	w.mu.Unlock()
	if known {
		return nil
	}
	raw, err := w.f.SyscallConn()
	if err != nil {
		return w.h.fail("watch who writes", path, err)
	}
	var marked error
	err = raw.Control(func(fd uintptr) {
		marked = unix.FanotifyMark(int(fd), unix.FAN_MARK_ADD|unix.FAN_MARK_ONLYDIR,
			unix.FAN_CLOSE_WRITE|unix.FAN_EVENT_ON_CHILD, unix.AT_FDCWD, filepath.Dir(real))
	})
	if err = errors.Join(err, marked); err != nil {
		w.mu.Lock()
		delete(w.files, real) // so that it is tried again
		w.mu.Unlock()
		return w.h.fail("watch who writes", path, err)
	}
	return nil
}

// Who is the last program, but this one, that wrote the file or one beside it
// that has its name within its own: "dhclient-script (process 812 of
// ifup@eth0.service)". "" where none was seen.
func (w *Writers) Who(path string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last[path]
}

// Close ends it.
func (w *Writers) Close() error { return w.f.Close() }

func (w *Writers) read() {
	buf := make([]byte, 4096)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			return
		}
		w.take(buf[:n])
	}
}

// take reads struct fanotify_event_metadata: its own length, a version, eight
// bytes of mask, and a descriptor and a process number of four bytes each. A
// descriptor that is below zero is the queue's overflow.
func (w *Writers) take(events []byte) {
	for len(events) >= unix.FAN_EVENT_METADATA_LEN {
		size := int(binary.NativeEndian.Uint32(events))
		if size < unix.FAN_EVENT_METADATA_LEN || size > len(events) {
			return
		}
		fd := int(int32(binary.NativeEndian.Uint32(events[16:])))
		pid := int(int32(binary.NativeEndian.Uint32(events[20:])))
		events = events[size:]
		if fd < 0 {
			continue
		}
		name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		_ = unix.Close(fd)
		if err == nil && pid != os.Getpid() {
			w.note(name, pid)
		}
	}
}

func (w *Writers) note(name string, pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for real, path := range w.files {
		if filepath.Dir(real) == filepath.Dir(name) && strings.Contains(filepath.Base(name), filepath.Base(real)) {
			w.last[path] = program(pid)
		}
	}
}

// program names a process by its command and its unit, and never by its
// arguments, which may hold a secret.
func program(pid int) string {
	if pid <= 0 {
		return "a program outside this container"
	}
	dir := "/proc/" + strconv.Itoa(pid)
	comm, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return fmt.Sprintf("process %d, which has ended since", pid)
	}
	who := fmt.Sprintf("%s (process %d", strings.TrimSpace(string(comm)), pid)
	if cgroup, err := os.ReadFile(dir + "/cgroup"); err == nil {
		if unit := unitOf(string(cgroup)); unit != "" {
			who += " of " + unit
		}
	}
	return who + ")"
}

// unitOf is the innermost service or scope that a process runs in.
func unitOf(cgroup string) (unit string) {
	for _, part := range strings.FieldsFunc(cgroup, func(r rune) bool { return r == '/' || r == '\n' }) {
		if strings.HasSuffix(part, ".service") || strings.HasSuffix(part, ".scope") {
			unit = part
		}
	}
	return unit
}
