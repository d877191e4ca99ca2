package resource

import (
	"context"
	"fmt"
	"path/filepath"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// ID is "file:" and the path.
func (a Absent) ID() string { return "file:" + a.Path }

// Describe says what is wanted, for golden plans.
func (a Absent) Describe() string { return "absent\n" }

// Check answers one change where something is there.
func (a Absent) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	c, err := a.compare(h)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", a.Path, err)
	}
	if !c.now.info.Exists {
		return nil, nil
	}
	risk, err := a.risk(h)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", a.Path, err)
	}
	do := func(ctx context.Context) error { return a.do(ctx, h) }
	return []plan.Change{{Say: "remove " + a.Path, Diff: c.diff(), Risk: risk, Do: do}}, nil
}

func (a Absent) compare(h *host.Host) (comparison, error) {
	c := comparison{path: a.Path}
	var err error
	if c.now, err = look(h, a.Path, false); err != nil {
		return c, err
	}
	c.record, c.kept, err = originals.Get(h, a.Path)
	c.restoreFirst = c.kept && !c.record.Whole()
	return c, err
}

func (a Absent) do(ctx context.Context, h *host.Host) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := a.compare(h)
	if err != nil {
		return err
	}
	if c.restoreFirst {
		if err := restore(ctx, h, c.record); err != nil {
			return err
		}
		if c, err = a.compare(h); err != nil {
			return err
		}
	}
	if !c.now.info.Exists {
		return nil
	}
	if err := h.Sweep(filepath.Dir(a.Path)); err != nil {
		return err
	}
	if err := a.keep(h, c); err != nil {
		return err
	}
	return h.Remove(a.Path)
}

func (a Absent) keep(h *host.Host, c comparison) error {
	rec, data := c.record, []byte(nil)
	if c.kept {
		if err := preserve(h, rec, c.now); err != nil {
			return err
		}
	} else {
		var err error
		if rec, data, err = originals.Look(h, a.Path, false); err != nil {
			return err
		}
	}
	before := rec
	rec.Concern, rec.Wrote = a.Concern, withDigest(rec.Wrote, wroteAbsent)
	switch {
	case !c.kept:
		return originals.Keep(h, rec, data)
	case sameRecord(before, rec):
		return nil
	}
	return originals.Update(h, rec)
}
