package resource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// ID is "file:" and the path.
func (f File) ID() string { return "file:" + f.Path }

// Check compares bytes, mode and owner with what they should be. All that
// differs is one change, made by one rename.
func (f File) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	c, err := f.compare(h)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", f.Path, err)
	}
	if c.same() {
		return nil, nil
	}
	risk, err := f.risk(h)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", f.Path, err)
	}
	do := func(ctx context.Context) error { return f.do(ctx, h) }
	return []plan.Change{{Say: c.say(), Diff: c.diff(), Risk: risk, Do: do}}, nil
}

// do looks again, as somebody may have changed the file since Check; keeps the
// original; writes.
func (f File) do(ctx context.Context, h *host.Host) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	release, err := lockOthers(ctx, h, f.Path)
	if err != nil {
		return err
	}
	defer release()
	c, err := f.compare(h)
	if err != nil {
		return err
	}
	if c.restoreFirst {
		if err := restoreLocked(ctx, h, c.record); err != nil {
			return err
		}
		if c, err = f.compare(h); err != nil {
			return err
		}
	}
	if c.same() {
		return nil
	}
	rec, toDisk, err := f.keep(h, c)
	if err != nil {
		return err
	}
	// Not before the record has its name: a kill would leave a temporary file in a
	// folder that nobody knows to sweep.
	staged, err := c.stage(h)
	if err != nil {
		return err
	}
	if staged != nil {
		defer staged.Close()
	}
	if err := toDisk(originals.Dir); err != nil {
		if staged != nil {
			err = errors.Join(err, staged.Drop())
		}
		return fmt.Errorf("keep the original of %s: %w", f.Path, err)
	}
	if err := c.write(h, staged); err != nil {
		return err
	}
	if err := f.settle(h, rec, c); err != nil || !f.Reload || !h.Live() {
		return err
	}
	return h.Units().Reload(ctx)
}

// keep makes sure that the original is kept, and that the record knows of what
// is about to be written: a kill right after the write must not leave a file
// that nobody knows to be ours. The other answer brings what is kept to the disk.
func (f File) keep(h *host.Host, c comparison) (originals.Record, func(dir string) error, error) {
	rec, kept := c.record, c.kept
	if !kept {
		var err error
		if rec, err = originals.Look(h, f.Path, f.Edit != nil); err != nil {
			return rec, nil, err
		}
	}
	before := rec
	rec.Concern = f.Concern
	if f.Edit == nil {
		if kept {
			if err := preserve(h, rec, c.now); err != nil {
				return rec, nil, err
			}
		}
		rec.Wrote = withDigest(rec.Wrote, originals.Digest(c.want.data))
	} else {
		rec.Edits = withEdit(rec.Edits, c.edit)
		rec.Attr = rec.Attr || f.Mode != 0 || f.Owner != "" || f.Group != ""
	}
	if !kept {
		return rec, h.Flush, originals.Keep(h, rec)
	}
	if sameRecord(before, rec) {
		// Who kept it may have been killed before it was on the disk.
		return rec, h.Sync, nil
	}
	return rec, h.Flush, originals.Note(h, rec)
}

// settle drops from the record the edits that the written one has replaced.
// Until then both are known, as a kill may have come before the write.
func (f File) settle(h *host.Host, rec originals.Record, c comparison) error {
	if f.Edit == nil || len(rec.Edits) == 1 {
		return nil
	}
	// Read again: keeping it has filled in the folders that were made.
	rec, kept, err := originals.Get(h, f.Path)
	if err != nil || !kept {
		return err
	}
	// Not before the file is on the disk: a power cut would bring back the one
	// with the other edits, which nobody could undo any more.
	if err := h.Flush(filepath.Dir(c.now.target)); err != nil {
		return err
	}
	rec.Edits = []originals.Edit{c.edit}
	return originals.Update(h, rec)
}

// comparison is what is, what should be, and how to get there.
type comparison struct {
	path         string
	now          present
	base         []byte // what an edit starts from
	want         wanted
	edit         originals.Edit // the edit in its kept form
	record       originals.Record
	kept         bool
	restoreFirst bool // the present file is ours in another manner, and goes back before
	hide         bool // nothing of either content may be shown
	owners       bool // owners can be set here, and count
}

// compare looks at everything and changes nothing.
func (f File) compare(h *host.Host) (comparison, error) {
	c := comparison{path: f.Path, owners: h.Owners()}
	var err error
	if c.now, err = look(h, f.Path, f.Edit != nil); err != nil {
		return c, err
	}
	if c.record, c.kept, err = originals.Get(h, f.Path); err != nil {
		return c, err
	}
	if f.Edit == nil {
		c.restoreFirst = c.kept && !c.record.Whole()
		c.want, err = f.whole(h, c.now)
		return c, err
	}
	if c.edit, err = keptForm(f.Edit); err != nil {
		return c, err
	}
	c.restoreFirst = c.kept && (c.record.Whole() || c.record.Target != c.now.target)
	if c.base, err = f.base(h, c); err != nil {
		return c, err
	}
	c.want, err = f.edited(h, c.now, c.base)
	return c, err
}

// base is the content that the edit is to be made on: what is there, without
// our other edits.
func (f File) base(h *host.Host, c comparison) ([]byte, error) {
	switch {
	case !c.kept:
		return c.now.data, nil
	case c.restoreFirst && c.record.Whole():
		return afterRestore(h, c.record)
	case c.restoreFirst:
		return c.now.data, nil
	}
	var others []originals.Edit
	for _, e := range c.record.Edits {
		if !sameEdit(e, c.edit) {
			others = append(others, e)
		}
	}
	if len(others) == 0 || !c.now.info.Exists {
		return c.now.data, nil
	}
	return undo(h, c.record, others, c.now.data)
}

func (c comparison) same() bool {
	return !c.restoreFirst && c.sameContent() && c.sameAttr()
}

func (c comparison) sameContent() bool {
	if !c.now.info.Exists {
		return c.edit.Kind != "" && len(c.want.data) == 0 // an edit that asks for nothing makes no file
	}
	return c.now.info.Mode.IsRegular() && bytes.Equal(c.now.data, c.want.data)
}

func (c comparison) sameAttr() bool {
	i := c.now.info
	if !i.Exists {
		return c.sameContent()
	}
	if i.Mode.Perm() != c.want.mode {
		return false
	}
	// Under another root, a person who is not root owns every file.
	return !c.owners || (i.UID == c.want.uid && i.GID == c.want.gid)
}

// stage has the new bytes on their way to the disk while the original is kept;
// nil where there are none, or no folder yet to have them in.
func (c comparison) stage(h *host.Host) (*host.Staged, error) {
	if c.sameContent() {
		return nil, nil
	}
	return h.Stage(c.now.target, c.want.data, c.attr())
}

func (c comparison) attr() host.Attr {
	return host.Attr{Mode: c.want.mode, UID: c.want.uid, GID: c.want.gid}
}

// write gives the file its name, which gets to the disk by the end of the pass:
// a power cut before may bring back the file of before, which the next pass
// finds and writes again.
func (c comparison) write(h *host.Host, staged *host.Staged) error {
	switch {
	case c.sameContent():
		return h.Chattr(c.now.target, c.attr())
	case staged != nil:
		return staged.Place()
	}
	return h.Place(c.now.target, c.want.data, c.attr())
}
