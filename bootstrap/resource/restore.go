package resource

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
)

// restore puts a path back to the image's own and forgets the original. It may
// be killed anywhere and run again: the record goes last.
func restore(ctx context.Context, h *host.Host, rec originals.Record) error {
	release, err := lockOthers(ctx, h, rec.Path)
	if err != nil {
		return err
	}
	defer release()
	return restoreLocked(ctx, h, rec)
}

// restoreLocked is restore for who has kept the others out already.
func restoreLocked(ctx context.Context, h *host.Host, rec originals.Record) error {
	if err := putBackPAM(ctx, h, rec); err != nil {
		return err
	}
	if err := h.Sweep(filepath.Dir(rec.Target)); err != nil {
		return err
	}
	put := restoreWhole
	if !rec.Whole() {
		put = restoreEdited
	}
	if err := put(h, rec); err != nil {
		return err
	}
	// Also where there was nothing left to put: who did it may have been killed
	// before it was on the disk. A folder that is gone needs nothing.
	if err := h.Sync(filepath.Dir(rec.Target)); err != nil {
		return err
	}
	// Said, but no reason to call the file ours any longer: whoever repairs an
	// image from a rescue system has no systemd that answers for it.
	told := errors.Join(restartReaders(ctx, h, rec), toldPAM(h, rec))
	// What was confirmed was confirmed of a file that is no longer ours.
	if err := forgetConfirmed(h, rec.Path); err != nil {
		return err
	}
	return errors.Join(originals.Forget(h, rec.Path), told)
}

func restoreWhole(h *host.Host, rec originals.Record) error {
	now, err := look(h, rec.Path, false)
	if err != nil {
		return err
	}
	// Somebody's own version is saved first; then the original goes back all
	// the same: a machine that asked for its image's files must get them, and
	// half of our set-up is what neither of the two wanted.
	if err := preserve(h, rec, now); err != nil {
		return err
	}
	attr := host.Attr{Mode: rec.Mode, UID: rec.UID, GID: rec.GID}
	switch rec.State {
	case originals.Absent:
		if err := h.Remove(rec.Path); err != nil {
			return err
		}
		return removeMade(h, rec)
	case originals.Link:
		if now.info.Link != rec.Link {
			if err := h.Symlink(rec.Link, rec.Path); err != nil {
				return err
			}
		}
		return h.Chattr(rec.Path, attr)
	}
	data, err := rec.Bytes()
	if err != nil {
		return err
	}
	if now.info.Mode.IsRegular() && now.info.Exists && bytes.Equal(now.data, data) {
		return h.Chattr(rec.Path, attr)
	}
	return h.Write(rec.Path, data, attr)
}

func restoreEdited(h *host.Host, rec originals.Record) error {
	// A link that somebody has put in the file's place since is followed, as
	// the edit would be: what it leads to may be the file itself, moved.
	now, err := look(h, rec.Target, true)
	if err != nil {
		return err
	}
	if !now.info.Exists {
		// Somebody removed it: there is no edit left to take out of it.
		return removeMade(h, rec)
	}
	data, err := undo(h, rec, rec.Edits, now.data)
	if err != nil {
		return err
	}
	if rec.State == originals.Absent && len(data) == 0 {
		if err := h.Remove(now.target); err != nil {
			return err
		}
		return removeMade(h, rec)
	}
	attr, ours := host.Attr{UID: -1, GID: -1}, rec.Attr && rec.State == originals.Regular
	if ours {
		attr = host.Attr{Mode: rec.Mode, UID: rec.UID, GID: rec.GID}
	}
	switch {
	case !bytes.Equal(now.data, data):
		return h.Write(now.target, data, attr)
	case ours:
		return h.Chattr(now.target, attr)
	}
	return nil
}

// removeMade takes away the folders that were made for the file, as far as
// nothing else is in them.
func removeMade(h *host.Host, rec originals.Record) error {
	for _, dir := range slices.Backward(rec.Made) {
		if err := h.Sweep(dir); err != nil {
			return err
		}
		names, err := h.ReadDir(dir)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return nil
		}
		if err := h.Remove(dir); err != nil && !errors.Is(err, unix.ENOTEMPTY) {
			return err
		}
	}
	return nil
}

// afterRestore is the content that a reader of the path would find once a
// whole file of ours is put back.
func afterRestore(h *host.Host, rec originals.Record) ([]byte, error) {
	if rec.State != originals.Link {
		return rec.Bytes()
	}
	target := rec.Link
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(rec.Path), target)
	}
	data, err := h.ReadFile(target)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	return data, err
}
