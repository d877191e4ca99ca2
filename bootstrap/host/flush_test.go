package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// owing is the folders below the root whose names may not be on the disk.
func owing(h *Host) []string {
	var all []string
	for dir, f := range h.unsynced.wanted(func(string) bool { return true }) {
		f.mu.Lock() // a flush that was left behind may still end
		owed := f.owed
		f.mu.Unlock()
		if owed {
			all = append(all, h.inside(dir))
		}
	}
	slices.Sort(all)
	return all
}

// What a call promises to be on the disk is, whatever was left to Flush before;
// what it leaves is owed.
func TestWhatIsOwedToTheDisk(t *testing.T) {
	data := []byte("x")
	for _, c := range []struct {
		name string
		do   func(*Host) error
		want []string
	}{
		{"write", func(h *Host) error { return h.Write("/etc/a", data, Attr{}) }, nil},
		{"write into new folders", func(h *Host) error { return h.Write("/etc/x/y/a", data, Attr{}) }, nil},
		{"place", func(h *Host) error { return h.Place("/etc/a", data, Attr{}) }, []string{"/etc"}},
		{"place into new folders", func(h *Host) error { return h.Place("/etc/x/y/a", data, Attr{}) }, []string{"/etc", "/etc/x", "/etc/x/y"}},
		{"jot", func(h *Host) error { return h.Jot("/etc/a", data, Attr{}) }, nil},
		{"what ends with the power", func(h *Host) error { return h.Write("/run/a", data, Attr{}) }, nil},
		{"a folder", func(h *Host) error { return h.Mkdir("/etc/x", 0o700) }, []string{"/etc"}},
		{"a folder, then a file in it", func(h *Host) error {
			return first(h.Mkdir("/etc/x", 0o700), h.Write("/etc/x/a", data, Attr{}))
		}, nil},
		{"a jotted folder, then a file in it", func(h *Host) error {
			return first(h.Jot("/etc/x/a", data, Attr{}), h.Write("/etc/x/b", data, Attr{}))
		}, nil},
		{"a place elsewhere stays owed", func(h *Host) error {
			return first(h.Place("/etc/a", data, Attr{}), h.Write("/var/a", data, Attr{}))
		}, []string{"/etc"}},
		{"remove", func(h *Host) error {
			return first(h.Place("/etc/a", data, Attr{}), h.Remove("/etc/a"))
		}, nil},
		{"flush one", func(h *Host) error {
			return first(h.Place("/etc/a", data, Attr{}), h.Place("/var/a", data, Attr{}), h.Flush("/var"))
		}, []string{"/etc"}},
		{"flush all", func(h *Host) error {
			return first(h.Place("/etc/a", data, Attr{}), h.Place("/var/a", data, Attr{}), h.FlushAll(time.Minute))
		}, nil},
		{"a folder that has gone", func(h *Host) error {
			return first(h.Place("/etc/x/a", data, Attr{}), h.RemoveAll("/etc/x"), h.FlushAll(time.Minute))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for _, dir := range []string{"etc", "var", "run"} {
				if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			h, err := New(Options{Root: root})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(h); err != nil {
				t.Fatal(err)
			}
			if got := owing(h); !slices.Equal(got, c.want) {
				t.Errorf("owed are %v, want %v", got, c.want)
			}
		})
	}
}

// A disk that hangs is named, and holds up no other folder's names.
func TestAHungDiskIsLeftBehind(t *testing.T) {
	h, err := New(Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := first(h.Place("/etc/a", nil, Attr{}), h.Place("/data/a", nil, Attr{})); err != nil {
		t.Fatal(err)
	}
	hung := h.unsynced.dirs[filepath.Join(h.Root(), "data")]
	hung.syncing.Lock() // as whoever syncs it does for ever
	err = h.FlushAll(100 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "the disk of /data does not answer") || strings.Contains(err.Error(), "/etc") {
		t.Errorf("%v", err)
	}
	if err := h.Write("/etc/b", nil, Attr{}); err != nil {
		t.Error(err)
	}
	hung.syncing.Unlock()
	if err := h.FlushAll(time.Minute); err != nil {
		t.Error(err)
	}
	if got := owing(h); len(got) > 0 {
		t.Errorf("owed are %v", got)
	}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
