package host

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// owed are the folders, on this computer, in which a name was made, replaced or
// taken away that may not be on the disk yet.
type owed struct {
	mu   sync.Mutex
	dirs map[string]*folder
}

// folder is one of them. Its lock is held while it is synced, so that who comes
// meanwhile waits, and finds its own name on the disk or syncs once more; a
// folder of a disk that hangs holds up no other.
type folder struct {
	syncing sync.Mutex
	mu      sync.Mutex
	owed    bool
}

func (o *owed) owe(dir string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dirs == nil {
		o.dirs = map[string]*folder{}
	}
	if o.dirs[dir] == nil {
		o.dirs[dir] = &folder{}
	}
	o.dirs[dir].set(true)
}

// wanted are those of the folders that were ever owed.
func (o *owed) wanted(want func(dir string) bool) map[string]*folder {
	o.mu.Lock()
	defer o.mu.Unlock()
	some := map[string]*folder{}
	for dir, f := range o.dirs {
		if want(dir) {
			some[dir] = f
		}
	}
	return some
}

func (f *folder) set(owed bool) (before bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, f.owed = f.owed, owed
	return before
}

// sync pays what is owed, or owes it still.
func (f *folder) sync(do func() error) error {
	f.syncing.Lock()
	defer f.syncing.Unlock()
	if !f.set(false) {
		return nil
	}
	err := do()
	if err != nil {
		f.set(true)
	}
	return err
}

// Flush waits until every name that was made, replaced or taken away in a folder
// is on the disk, and the folder's own.
func (h *Host) Flush(dir string) error {
	real, err := h.real(dir)
	if err != nil {
		return err
	}
	if err := h.flush(real); err != nil {
		return h.fail("flush", dir, err)
	}
	return nil
}

// owe notes a name that is made or taken away, unless it ends with the power.
func (h *Host) owe(path, real string) bool {
	lasts := durable.below(path) == durable
	if lasts {
		h.unsynced.owe(filepath.Dir(real))
	}
	return lasts
}

// Sync is Flush for names that somebody else may have made.
func (h *Host) Sync(dir string) error {
	real, err := h.real(dir)
	if err != nil {
		return err
	}
	h.unsynced.owe(real)
	return h.Flush(dir)
}

// SyncFile waits until what a program has written to a file is on the disk. One
// that is not there needs nothing.
func (h *Host) SyncFile(path string) error {
	real, err := h.real(path)
	if err != nil {
		return err
	}
	h.point("sync", path, "sync")
	if err := syncDir(real); err != nil && !errors.Is(err, os.ErrNotExist) {
		return h.fail("bring to the disk", path, err)
	}
	h.point("sync", path, "done")
	return nil
}

// flush is Flush for a folder on this computer.
func (h *Host) flush(real string) error {
	above := h.unsynced.wanted(func(dir string) bool {
		return dir == real || dir == "/" || strings.HasPrefix(real, dir+string(filepath.Separator))
	})
	var errs []error
	for _, dir := range slices.Sorted(maps.Keys(above)) {
		errs = append(errs, h.pay(above[dir], dir))
	}
	return errors.Join(errs...)
}

// pay syncs a folder that is owed.
func (h *Host) pay(f *folder, dir string) error {
	return f.sync(func() error {
		h.point("sync", h.inside(dir), "sync")
		err := syncDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			err = nil // it has gone, with what was in it
		}
		h.point("sync", h.inside(dir), "done")
		return err
	})
}

// FlushAll is Flush for all folders, side by side, as the disk makes one work of
// them. A disk that does not answer within the time is named in the error, and
// left to answer later.
func (h *Host) FlushAll(within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	type end struct {
		dir string
		err error
	}
	folders := h.unsynced.wanted(func(string) bool { return true })
	ends := make(chan end, len(folders)) // room for those that nobody waits for any more
	for dir, f := range folders {
		go func() { ends <- end{dir, h.pay(f, dir)} }()
	}
	var errs []error
	for len(folders) > 0 {
		select {
		case e := <-ends:
			delete(folders, e.dir)
			errs = append(errs, e.err)
		case <-late.C:
			for _, dir := range slices.Sorted(maps.Keys(folders)) {
				errs = append(errs, fmt.Errorf("the disk of %s does not answer", h.inside(dir)))
			}
			return errors.Join(errs...)
		}
	}
	return errors.Join(errs...)
}

// syncDir brings a folder's names to the disk, or a file's bytes.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
