package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
)

// ErrTooLarge says that a file is larger than MaxFile, or that a command said
// more than MaxOutput.
var ErrTooLarge = errors.New("too large")

// ReadFile reads a whole regular file, links followed. A file that is not
// there is an error that wraps fs.ErrNotExist; one above MaxFile wraps
// ErrTooLarge.
func (h *Host) ReadFile(path string) ([]byte, error) {
	p, err := h.toRead(path)
	if err != nil {
		return nil, err
	}
	// Non-blocking, so that a pipe in the file's place cannot hang a boot.
	f, err := os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, h.fail("read", path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, h.fail("read", path, err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is %s, not a regular file", path, kind(st.Mode()))
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, h.fail("read", path, err)
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("read %s: %w: more than %d bytes", path, ErrTooLarge, MaxFile)
	}
	return data, nil
}

// Stat tells of a path, links followed. An absent path is the zero Info and no
// error.
func (h *Host) Stat(path string) (Info, error) {
	p, err := h.toRead(path)
	if err != nil {
		return Info{}, err
	}
	if h.root == "/" {
		return h.infoBy(os.Stat, path, p)
	}
	return h.info(path, p)
}

// toRead is where the kernel finds what is only looked at. Under a root of its
// own each link is followed by us, so that none leads out; the running machine's
// are the kernel's, which takes one system call for it and not one a component.
func (h *Host) toRead(path string) (string, error) {
	if h.root != "/" {
		return h.real(path)
	}
	return filepath.Clean(path), checkPath(path)
}

// Lstat tells of the name itself, which may be a link. An absent path is the
// zero Info and no error.
func (h *Host) Lstat(path string) (Info, error) {
	way := h.entry
	if h.root == "/" {
		way = h.toRead
	}
	p, err := way(path)
	if err != nil {
		return Info{}, err
	}
	return h.info(path, p)
}

func (h *Host) info(path, real string) (Info, error) { return h.infoBy(os.Lstat, path, real) }

func (h *Host) infoBy(stat func(string) (fs.FileInfo, error), path, real string) (Info, error) {
	st, err := stat(real)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, h.fail("stat", path, err)
	}
	i := Info{Exists: true, Mode: st.Mode(), Size: st.Size(), Modified: st.ModTime()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		i.UID, i.GID = int(sys.Uid), int(sys.Gid)
	}
	if st.Mode()&fs.ModeSymlink != 0 {
		if i.Link, err = os.Readlink(real); err != nil {
			return Info{}, h.fail("read link", path, err)
		}
	}
	return i, nil
}

// ReadDir is the names in a folder, sorted. A folder that is not there is an
// error that wraps fs.ErrNotExist.
func (h *Host) ReadDir(path string) ([]string, error) {
	p, err := h.toRead(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, h.fail("list", path, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, h.fail("list", path, err)
	}
	sort.Strings(names)
	return names, nil
}

// Glob is the existing paths that match a pattern of path.Match, sorted. A
// folder that is not there matches nothing.
func (h *Host) Glob(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("pattern %s: %w", pattern, err)
	}
	if err := checkPath(pattern); err != nil {
		return nil, err
	}
	found := []string{"/"}
	for _, part := range strings.Split(strings.Trim(path.Clean(pattern), "/"), "/") {
		var next []string
		for _, dir := range found {
			more, err := h.globIn(dir, part)
			if err != nil {
				return nil, err
			}
			next = append(next, more...)
		}
		found = next
	}
	sort.Strings(found)
	return found, nil
}

// globIn is the entries of one folder that match one component.
func (h *Host) globIn(dir, part string) ([]string, error) {
	if !strings.ContainsAny(part, `*?[\`) {
		p := path.Join(dir, part)
		i, err := h.Lstat(p)
		if err != nil || !i.Exists {
			return nil, err
		}
		return []string{p}, nil
	}
	names, err := h.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, n := range names {
		if ok, _ := path.Match(part, n); ok {
			found = append(found, path.Join(dir, n))
		}
	}
	return found, nil
}

// fail names the path as the machine knows it, not as it lies on this computer.
func (h *Host) fail(did, path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		err = le.Err
	}
	if h.root != "/" {
		return fmt.Errorf("%s %s (below %s): %w", did, path, h.root, err)
	}
	return fmt.Errorf("%s %s: %w", did, path, err)
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a regular file"
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "a file of an unknown kind"
}
