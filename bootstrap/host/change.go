package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Mkdir makes a folder of this mode, and those above it with mode 0755. One
// that is there is left as it is. A new one is on the disk when what is written
// into it is, or after Flush.
func (h *Host) Mkdir(path string, mode fs.FileMode) error {
	real, err := h.real(path)
	if err != nil {
		return err
	}
	if err := h.mkdirs(filepath.Dir(real)); err != nil {
		return err
	}
	return h.mkdir(real, mode)
}

// mkdirs makes the missing folders down to real with mode 0755.
func (h *Host) mkdirs(real string) error {
	if st, err := os.Stat(real); err == nil && st.IsDir() {
		return nil
	}
	if real != h.root {
		if err := h.mkdirs(filepath.Dir(real)); err != nil {
			return err
		}
	}
	return h.mkdir(real, 0o755)
}

func (h *Host) mkdir(real string, mode fs.FileMode) error {
	path := h.inside(real)
	if st, err := os.Stat(real); err == nil && st.IsDir() {
		return nil
	}
	h.point("mkdir", path, "make")
	h.owe(path, real) // before as well: who finds the folder may be quicker than what follows
	err := mkdirExactly(real, mode.Perm())
	if errors.Is(err, fs.ErrExist) {
		if st, e := os.Stat(real); e == nil && st.IsDir() {
			return nil // somebody was quicker
		}
		err = unix.ENOTDIR
	}
	if err != nil {
		return h.fail("make folder", path, err)
	}
	h.owe(path, real)
	h.point("mkdir", path, "done")
	return nil
}

// mkdirExactly makes a folder of just this mode in one step: with a chmod after
// it, a kill between the two would leave a folder of another mode, which
// nobody would ever mend. A umask that takes something from the mode must go
// for that, and as it belongs to the whole process, the folder is then made by
// a thread that has left the others'; the thread ends with its goroutine, as it
// is never unlocked.
func mkdirExactly(real string, mode fs.FileMode) error {
	var err error
	if mode&umask() == 0 {
		err = os.Mkdir(real, mode)
	} else {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			if err := unix.Unshare(unix.CLONE_FS); err == nil {
				unix.Umask(0)
			}
			done <- os.Mkdir(real, mode)
		}()
		err = <-done
	}
	if err != nil {
		return err
	}
	// A sandbox that forbids the above, or a default ACL of the folder above.
	if st, err := os.Lstat(real); err != nil || st.Mode().Perm() == mode {
		return err
	}
	return os.Chmod(real, mode)
}

// umask is this process's; all of it where the kernel does not tell. It is read
// by way of /proc, as the system call sets it, for all threads.
func umask() fs.FileMode {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return fs.ModePerm
	}
	defer f.Close()
	var head [256]byte // its second line
	n, _ := f.Read(head[:])
	_, after, _ := bytes.Cut(head[:n], []byte("\nUmask:"))
	line, _, whole := bytes.Cut(after, []byte("\n"))
	mask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 32)
	if err != nil || !whole {
		return fs.ModePerm
	}
	return fs.FileMode(mask).Perm()
}

// Missing is the folders above path that are not there, the outermost first:
// those that Write would make.
func (h *Host) Missing(path string) ([]string, error) {
	var missing []string
	for dir := filepath.Dir(filepath.Clean(path)); dir != "/"; dir = filepath.Dir(dir) {
		i, err := h.Stat(dir)
		if err != nil {
			return nil, err
		}
		if i.Exists {
			break
		}
		missing = append([]string{dir}, missing...)
	}
	return missing, nil
}

// Remove takes away a file, a link (not what it leads to) or an empty folder,
// durably. One that is not there is no error.
func (h *Host) Remove(path string) error { return h.remove(path, os.Remove) }

// RemoveAll takes away a folder with all that is in it.
func (h *Host) RemoveAll(path string) error { return h.remove(path, os.RemoveAll) }

func (h *Host) remove(path string, do func(string) error) error {
	real, err := h.entry(path)
	if err != nil {
		return err
	}
	if real == h.root {
		return fmt.Errorf("remove %s: it is the root folder", path)
	}
	i, err := h.info(path, real)
	if err != nil || !i.Exists {
		return err
	}
	h.point("remove", path, "remove")
	if err := do(real); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h.fail("remove", path, err)
	}
	h.point("remove", path, "removed")
	if h.owe(path, real) {
		if err := h.flush(filepath.Dir(real)); err != nil {
			return h.fail("remove", path, err)
		}
	}
	h.point("remove", path, "done")
	return nil
}

// Chattr changes the mode and the owner of what is there, and leaves its
// content alone. Mode zero and -1 keep what is. Of a link the owner alone is
// changed, and never what it leads to.
func (h *Host) Chattr(path string, a Attr) error {
	real, err := h.entry(path)
	if err != nil {
		return err
	}
	i, err := h.info(path, real)
	if err != nil {
		return err
	}
	if !i.Exists {
		return h.fail("change mode and owner of", path, fs.ErrNotExist)
	}
	h.point("chattr", path, "change")
	if err := h.allowed(os.Lchown(real, a.UID, a.GID)); err != nil {
		return h.fail("change owner of", path, err)
	}
	if i.Link == "" && a.Mode != 0 {
		if err := os.Chmod(real, a.Mode.Perm()); err != nil {
			return h.fail("change mode of", path, err)
		}
	}
	if err := syncDir(filepath.Dir(real)); err != nil {
		return h.fail("change mode and owner of", path, err)
	}
	h.point("chattr", path, "done")
	return nil
}

// Sweep removes from a folder the temporary files that a killed run has left.
// It spares those of this Host and those that another process is writing. A
// folder that is not there is clean.
func (h *Host) Sweep(dir string) error {
	names, err := h.ReadDir(dir)
	// What is no folder holds nothing of ours; what wants to write below it
	// says so, and only that fails.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range names {
		path := filepath.Join(dir, n)
		if !isTemp(n) || h.mine(n) {
			continue
		}
		if i, err := h.Lstat(path); err != nil || !i.Exists || i.Mode.IsDir() || h.busy(path) {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, h.Remove(path))
	}
	return errors.Join(errs...)
}

// busy says that another process holds the lock of its temporary file.
func (h *Host) busy(path string) bool {
	real, err := h.entry(path)
	if err != nil {
		return true
	}
	fd, err := unix.Open(real, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false // a link, which nobody can lock, or gone
	}
	defer unix.Close(fd)
	return errors.Is(unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}
