package host_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
)

// On the running machine the kernel follows the links, under another root we
// do: what is seen is the same.
func TestTheRunningMachineLooksLikeAnyOther(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "etc/real"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/real/file"), []byte("text"), 0o640); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"file": "real/file", "folder": "real", "dead": "nowhere", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, "etc", name)); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := host.New(host.Options{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	live, err := host.New(host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/etc/real/file", "/etc/file", "/etc/folder", "/etc/folder/file", "/etc/dead", "/etc/none", "/etc/file/below", "/etc/loop"} {
		if got, want := seen(live, dir+path), seen(folder, path); !cmp.Equal(got, want) {
			t.Errorf("%s: the running machine is seen otherwise than a folder:\n%s", path, cmp.Diff(want, got))
		}
	}
}

// look is all that can be seen of a path.
type look struct {
	Stat, Lstat           host.Info
	StatFails, LstatFails bool
	Text                  string
	Missing, Unreadable   bool
	Names                 []string
}

func seen(h *host.Host, path string) (l look) {
	var err error
	l.Stat, err = h.Stat(path)
	l.StatFails = err != nil
	l.Lstat, err = h.Lstat(path)
	l.LstatFails = err != nil
	text, err := h.ReadFile(path)
	l.Text, l.Missing, l.Unreadable = string(text), errors.Is(err, fs.ErrNotExist), err != nil
	l.Names, _ = h.ReadDir(path) // what is no folder has none
	return l
}
