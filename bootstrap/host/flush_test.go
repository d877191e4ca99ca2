package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// owing is the folders below the root whose names may not be on the disk.
func owing(h *Host) []string {
	var all []string
	for dir, f := range h.unsynced.wanted(func(string) bool { return true }) {
		if f.owes() {
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
	begun, release := make(chan bool), make(chan bool)
	go hung.sync(func() error { close(begun); <-release; return nil })
	<-begun
	// The other's disk may be slow, and needs its time; one that the hung disk held
	// up would have no end.
	for within := 100 * time.Millisecond; ; within *= 2 {
		err := h.FlushAll(within)
		if err == nil || !strings.Contains(err.Error(), "the disk of /data does not answer") {
			t.Fatalf("within %s: %v", within, err)
		}
		if !strings.Contains(err.Error(), "/etc") {
			break
		}
		if within > 10*time.Second {
			t.Fatalf("within %s: %v", within, err)
		}
	}
	if err := h.Write("/etc/b", nil, Attr{}); err != nil {
		t.Error(err)
	}
	close(release)
	if err := h.FlushAll(time.Minute); err != nil {
		t.Error(err)
	}
	if got := owing(h); len(got) > 0 {
		t.Errorf("owed are %v", got)
	}
}

// One sync serves all names that were made before it began, and none that was
// made meanwhile.
func TestOneSyncServesAllBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o owed
		o.owe("/etc")
		f := o.dirs["/etc"]
		syncs, ended, release := 0, 0, make(chan bool)
		var mu sync.Mutex // of ended
		begin := func() {
			go func() {
				err := f.sync(func() error { syncs++; <-release; return nil }) // one at a time
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ended++
			}()
			synctest.Wait()
		}
		for range 5 {
			begin()
		}
		o.owe("/etc")
		begin()
		release <- true
		synctest.Wait()
		if syncs != 2 || ended != 5 || !f.owes() {
			t.Errorf("after one sync %d of 5 have ended, %d were begun, owed %v", ended, syncs, f.owes())
		}
		release <- true
		synctest.Wait()
		if syncs != 2 || ended != 6 || f.owes() {
			t.Errorf("after two %d of 6 have ended, %d were begun, owed %v", ended, syncs, f.owes())
		}
	})
}

// A file in a new folder is on the disk when the folder's own name is, whoever
// brings that there.
func TestAFlushWaitsForTheFoldersAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := New(Options{Root: t.TempDir()})
		if err == nil {
			err = h.Place("/etc/x/a", nil, Attr{})
		}
		if err != nil {
			t.Fatal(err)
		}
		above, release := h.unsynced.dirs[filepath.Join(h.Root(), "etc")], make(chan bool)
		go above.sync(func() error { <-release; return nil })
		synctest.Wait()
		flushed := make(chan error, 1)
		go func() { flushed <- h.Flush("/etc/x") }()
		synctest.Wait()
		select {
		case err := <-flushed:
			t.Errorf("it did not wait: %v", err)
		default:
		}
		close(release)
		synctest.Wait()
		if got := owing(h); len(got) > 0 {
			t.Errorf("owed are still %v", got)
		}
	})
}

// What the disk refused is owed still, and who waited asks it again.
func TestAFailedSyncIsOwedStill(t *testing.T) {
	var o owed
	o.owe("/etc")
	f := o.dirs["/etc"]
	if err := f.sync(func() error { return os.ErrInvalid }); err == nil || !f.owes() {
		t.Errorf("%v, owed %v", err, f.owes())
	}
	if err := f.sync(func() error { return nil }); err != nil || f.owes() {
		t.Errorf("%v, owed %v", err, f.owes())
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
