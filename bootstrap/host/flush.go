package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// wanted are the folders that were ever owed.
func (o *owed) wanted(want func(dir string) bool) (dirs []string, folders []*folder) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for dir, f := range o.dirs {
		if want(dir) {
			dirs, folders = append(dirs, dir), append(folders, f)
		}
	}
	return dirs, folders
}

func (f *folder) set(owed bool) (before bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, f.owed = f.owed, owed
	return before
}

// sync pays what is owed, or owes it still.
func (f *folder) sync(dir string) error {
	f.syncing.Lock()
	defer f.syncing.Unlock()
	if !f.set(false) {
		return nil
	}
	err := syncDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil // with what was in it
	}
	if err != nil {
		f.set(true)
	}
	return err
}

// Flush waits until every name that was made, replaced or taken away is on the
// disk: of one folder and of those above it, or everywhere where the folder
// is "".
func (h *Host) Flush(dir string) error {
	if dir == "" {
		return h.flushAll(func(string) bool { return true })
	}
	real, err := h.real(dir)
	if err != nil {
		return err
	}
	if err := h.flush(real); err != nil {
		return h.fail("flush", dir, err)
	}
	return nil
}

// flush is Flush for a folder on this computer.
func (h *Host) flush(real string) error {
	return h.flushAll(func(dir string) bool {
		return dir == real || dir == "/" || strings.HasPrefix(real, dir+string(filepath.Separator))
	})
}

// flushAll waits for all side by side: the disk makes one work of them.
func (h *Host) flushAll(want func(string) bool) error {
	dirs, folders := h.unsynced.wanted(want)
	errs := make([]error, len(dirs))
	var wait sync.WaitGroup
	for i, f := range folders {
		wait.Go(func() { errs[i] = f.sync(dirs[i]) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
