package host_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

func attr(mode fs.FileMode) host.Attr { return host.Attr{Mode: mode, UID: -1, GID: -1} }

func TestWriteReplacesWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		name, path string
		before     map[string]string
		attr       host.Attr
		mode       fs.FileMode
		also       map[string]string // what others must hold afterwards
	}{
		{name: "new", path: "/etc/a", attr: attr(0o640), mode: 0o640},
		{name: "new without a mode is private", path: "/etc/a", attr: attr(0), mode: 0o600},
		{name: "new folders", path: "/etc/x/y/a", attr: attr(0o644), mode: 0o644},
		{name: "the present mode stays", path: "/etc/a", before: map[string]string{"/etc/a": "old"}, attr: attr(0), mode: 0o644},
		{name: "a link is replaced", path: "/etc/a", before: map[string]string{"/etc/a": "-> b", "/etc/b": "kept"},
			attr: attr(0o644), mode: 0o644, also: map[string]string{"/etc/b": "kept"}},
		{name: "a linked folder is followed inside the root", path: "/etc/l/a",
			before: map[string]string{"/etc/l": "-> /run/d", "/run/d/": ""}, attr: attr(0o644), mode: 0o644,
			also: map[string]string{"/run/d/a": "new"}},
		{name: "dots do not leave the root", path: "/../../etc/a", attr: attr(0o600), mode: 0o600,
			also: map[string]string{"/etc/a": "new"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, c.before)
			h := m.Host()
			if err := h.Write(c.path, []byte("new"), c.attr); err != nil {
				t.Fatal(err)
			}
			i, err := h.Lstat(c.path)
			if err != nil || !i.Mode.IsRegular() || i.Mode.Perm() != c.mode {
				t.Errorf("mode %v (%v), want a file of %v", i.Mode, err, c.mode)
			}
			data, err := h.ReadFile(c.path)
			if string(data) != "new" {
				t.Errorf("content %q (%v)", data, err)
			}
			for path, want := range c.also {
				if got := m.Read(path); got != want {
					t.Errorf("%s holds %q, want %q", path, got, want)
				}
			}
			if temps := m.Temps(); len(temps) > 0 {
				t.Errorf("left behind: %v", temps)
			}
		})
	}
}

func TestWriteMakesFoldersReadableWhateverTheUmask(t *testing.T) {
	m := hosttest.New(t, nil)
	defer syscall.Umask(syscall.Umask(0o077))
	h := m.Host()
	if err := h.Write("/etc/x.d/a", nil, attr(0o644)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{"/etc": 0o755, "/etc/x.d": 0o755, "/etc/x.d/a": 0o644} {
		if i, _ := h.Stat(path); i.Mode.Perm() != want {
			t.Errorf("%s: %v, want %v", path, i.Mode.Perm(), want)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/dir/": "", "/etc/file": "x"})
	h := m.Host()
	for path, want := range map[string]string{
		"etc/a":       "not absolute",
		"/":           "root folder",
		"/etc/dir":    "a folder is in its place",
		"/etc/file/a": "not a directory",
		"/etc/\x00":   "zero byte",
	} {
		err := h.Write(path, []byte("new"), attr(0o644))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Write(%q) = %v, want %q", path, err, want)
		}
	}
}

// A rename that runs although the write failed puts half a file in place.
func TestWriteThatFailsLeavesTheOldFile(t *testing.T) {
	if m, ok := hosttest.InChild(t); ok {
		signal.Ignore(syscall.SIGXFSZ)
		limit := unix.Rlimit{Cur: 1000, Max: 1000}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		err := m.Host().Write("/etc/a", make([]byte, 5000), attr(0o644))
		if !errors.Is(err, unix.EFBIG) {
			t.Fatalf("a write above the limit gave %v", err)
		}
		return
	}
	m := hosttest.New(t, map[string]string{"/etc/a": "old"})
	before := m.Tree()
	if m.Child(t, 0) {
		t.Fatal("the child was killed")
	}
	if d := cmp.Diff(before, m.Tree()); d != "" {
		t.Error("a failed write has changed the machine:\n" + d)
	}
}

// The same on a disk that is full.
func TestWriteOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small tmpfs")
	}
	m := hosttest.New(t, map[string]string{"/etc/": ""})
	dir := filepath.Join(m.Root, "etc")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no tmpfs can be mounted here: %v", err)
	}
	defer func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	m.Put("/etc/a", "old", 0o644)
	before := m.Tree()
	err := m.Host().Write("/etc/a", make([]byte, 200<<10), attr(0o644))
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a write to a full disk gave %v", err)
	}
	if d := cmp.Diff(before, m.Tree()); d != "" {
		t.Error("a failed write has changed the machine:\n" + d)
	}
}

// Whatever point a kill comes at, the old file or the new one is there, and
// the next process sweeps what was left.
func TestWriteKilledAnywhere(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	for name, write := range map[string]func(*host.Host) error{
		"file":       func(h *host.Host) error { return h.Write("/etc/a", []byte("new"), attr(0o600)) },
		"link":       func(h *host.Host) error { return h.Symlink("new", "/etc/a") },
		"new folder": func(h *host.Host) error { return h.Write("/etc/x.d/a", []byte("new"), attr(0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				m := hosttest.New(t, map[string]string{"/etc/a": "old"})
				before := m.Tree()
				died := m.Kill(n, func(h *host.Host) {
					if err := write(h); err != nil {
						t.Error(err)
					}
				})
				if err := errors.Join(m.Host().Sweep("/etc"), m.Host().Sweep("/etc/x.d")); err != nil {
					t.Error(err)
				}
				// What is half made is never another folder than the one asked for.
				if i, _ := m.Host().Lstat("/etc/x.d"); i.Exists && i.Mode.Perm() != 0o755 {
					t.Errorf("killed at %d: the folder is left with mode %v", n, i.Mode)
				}
				after := m.Tree()["/etc/a"]
				if after != before["/etc/a"] && !strings.Contains(after, "new") {
					t.Errorf("killed at %d: %q", n, after)
				}
				if temps := m.Temps(); len(temps) > 0 {
					t.Errorf("killed at %d: left behind: %v", n, temps)
				}
				if !died {
					if n < 4 {
						t.Errorf("only %d points to die at", n-1)
					}
					return
				}
			}
		})
	}
}

func TestSigkillInTheMiddle(t *testing.T) {
	if m, ok := hosttest.InChild(t); ok {
		if err := m.Host().Write("/etc/a", []byte("new"), attr(0o600)); err != nil {
			t.Error(err)
		}
		return
	}
	died := 0
	for n := 1; ; n++ {
		m := hosttest.New(t, map[string]string{"/etc/a": "old"})
		if !m.Child(t, n) {
			break
		}
		died++
		if err := m.Host().Sweep("/etc"); err != nil {
			t.Error(err)
		}
		if got := m.Read("/etc/a"); (got != "old" && got != "new") || len(m.Temps()) > 0 {
			t.Errorf("killed at %d: %q, left behind %v", n, got, m.Temps())
		}
	}
	if died < 5 {
		t.Errorf("only %d points to die at", died)
	}
}

func TestSweepSparesOthers(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/.reveille-notes":                     "a person's",
		"/etc/.reveille-000000000000-000000000000": "left",
		"/etc/.reveille-000000000000-111111111111": "being written",
		"/etc/.reveille-000000000000-222222222222": "-> left",
	})
	f, err := os.Open(filepath.Join(m.Root, "/etc/.reveille-000000000000-111111111111"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	h := m.Host()
	if err := h.Sweep("/etc"); err != nil {
		t.Fatal(err)
	}
	names, _ := h.ReadDir("/etc")
	want := []string{".reveille-000000000000-111111111111", ".reveille-notes"}
	if !slices.Equal(names, want) {
		t.Errorf("left %v, want %v", names, want)
	}
	if err := h.Sweep("/nowhere"); err != nil {
		t.Error(err)
	}
}

func TestWriteKeepsExtendedAttributes(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "old"})
	real := filepath.Join(m.Root, "/etc/a")
	if err := unix.Setxattr(real, "user.label", []byte("etc_t"), 0); err != nil {
		t.Skipf("this file system has no extended attributes: %v", err)
	}
	acl := false
	if path, err := exec.LookPath("setfacl"); err == nil {
		acl = exec.Command(path, "-m", "u:1:r", real).Run() == nil
	}
	if err := m.Host().Write("/etc/a", []byte("new"), attr(0)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := unix.Getxattr(real, "user.label", buf)
	if err != nil || string(buf[:n]) != "etc_t" {
		t.Errorf("label %q (%v)", buf[:max(n, 0)], err)
	}
	if acl {
		if n, err := unix.Getxattr(real, "system.posix_acl_access", buf); err != nil || n == 0 {
			t.Errorf("the ACL is gone: %v", err)
		}
	}
}
