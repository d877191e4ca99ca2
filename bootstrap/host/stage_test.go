package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// staged is a host with /etc/a, and a new version of it beside it.
func staged(t *testing.T) (*Host, *Staged) {
	t.Helper()
	h, err := New(Options{Root: t.TempDir()})
	if err == nil {
		err = h.Write("/etc/a", []byte("old"), Attr{})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Stage("/etc/a", []byte("new"), Attr{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return h, s
}

// holdsAlone checks the content of /etc/a, and that nothing lies beside it.
func holdsAlone(t *testing.T, h *Host, want string) {
	t.Helper()
	got, err := h.ReadFile("/etc/a")
	names, err2 := h.ReadDir("/etc")
	if err := errors.Join(err, err2); err != nil || string(got) != want || strings.Join(names, " ") != "a" {
		t.Errorf("it holds %q, want %q, and the folder %v; %v", got, want, names, err)
	}
}

// A file has its name no sooner than its bytes are on the disk, and not at all
// where the disk refuses them.
func TestStagedBytesComeFirst(t *testing.T) {
	for name, refused := range map[string]error{"written": nil, "refused": os.ErrInvalid} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, s := staged(t)
				<-s.synced
				s.synced = make(chan struct{}) // as on a disk that takes its time
				placed := make(chan error, 1)
				go func() { placed <- s.Place() }()
				synctest.Wait()
				if got, err := h.ReadFile("/etc/a"); err != nil || string(got) != "old" {
					t.Errorf("before its bytes are on the disk: %q, %v", got, err)
				}
				s.syncErr = refused
				close(s.synced)
				if err := <-placed; !errors.Is(err, refused) {
					t.Error(err)
				}
				holdsAlone(t, h, map[bool]string{true: "new", false: "old"}[refused == nil])
			})
		})
	}
}

// What is taken away again has changed nothing; what is left, as by a kill, is
// spared by others for as long as it is held.
func TestStagedIsNotPlaced(t *testing.T) {
	h, s := staged(t)
	if err := s.Drop(); err != nil {
		t.Error(err)
	}
	holdsAlone(t, h, "old")

	h, s = staged(t)
	other, err := New(Options{Root: h.Root()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Sweep("/etc"); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(s.tmp); err != nil {
		t.Errorf("another's sweep has taken it: %v", err)
	}
	s.Close()
	if err := other.Sweep("/etc"); err != nil {
		t.Error(err)
	}
	holdsAlone(t, h, "old")
}

// Nothing is staged where that would make a folder.
func TestNothingIsStagedWithoutItsFolder(t *testing.T) {
	h, _ := staged(t)
	if s, err := h.Stage("/etc/b.d/a", nil, Attr{}); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := os.Lstat(filepath.Join(h.Root(), "etc/b.d")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder: %v", err)
	}
}
