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

// folder is one of them. Names are numbered: a sync pays for those that were owed
// when it began, so that one work of the disk serves all who came before it, and
// who comes meanwhile waits for the next. A folder of a disk that hangs holds up
// no other.
type folder struct {
	mu      sync.Mutex
	ended   sync.Cond // of mu: a sync has
	owed    uint64    // the latest name
	paid    uint64    // and the latest that is on the disk
	syncing bool
}

func (o *owed) owe(dir string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dirs == nil {
		o.dirs = map[string]*folder{}
	}
	if o.dirs[dir] == nil {
		f := &folder{}
		f.ended.L = &f.mu
		o.dirs[dir] = f
	}
	o.dirs[dir].owe()
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

func (f *folder) owe() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed++
}

func (f *folder) owes() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.paid < f.owed
}

// sync returns when all is paid that was owed when it was called, or owes it still.
func (f *folder) sync(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for mine := f.owed; f.paid < mine; {
		if f.syncing {
			f.ended.Wait()
			continue
		}
		if err := f.syncNow(do); err != nil {
			return err
		}
	}
	return nil
}

// syncNow is called with the lock held, and lets go of it meanwhile.
func (f *folder) syncNow(do func() error) error {
	all, paid := f.owed, f.paid
	f.syncing = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.syncing, f.paid = false, paid
		f.ended.Broadcast()
	}()
	err := do()
	if err == nil {
		paid = all
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

// flush is Flush for a folder on this computer: side by side with those above it
// where they are owed as well, as the disk makes one work of them.
func (h *Host) flush(real string) error {
	above := h.unsynced.wanted(func(dir string) bool {
		return dir == real || dir == "/" || strings.HasPrefix(real, dir+string(filepath.Separator))
	})
	maps.DeleteFunc(above, func(_ string, f *folder) bool { return !f.owes() })
	dirs := slices.Sorted(maps.Keys(above))
	errs := make([]error, len(dirs))
	var others sync.WaitGroup
	for i, dir := range dirs {
		h.point("sync", h.inside(dir), "sync")
		if i < len(dirs)-1 {
			others.Go(func() { errs[i] = above[dir].pay(dir) })
			continue
		}
		errs[i] = above[dir].pay(dir)
	}
	others.Wait()
	for _, dir := range dirs {
		h.point("sync", h.inside(dir), "done")
	}
	return errors.Join(errs...)
}

// pay syncs a folder that is owed.
func (f *folder) pay(dir string) error {
	return f.sync(func() error {
		err := syncDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			err = nil // it has gone, with what was in it
		}
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
		go func() {
			h.point("sync", h.inside(dir), "sync")
			err := f.pay(dir)
			h.point("sync", h.inside(dir), "done")
			ends <- end{dir, err}
		}()
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
