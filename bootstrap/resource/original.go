package resource

import (
	"context"
	"fmt"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// LiveHostname is the Path with which an Original means the kernel's host
// name instead of a file.
const LiveHostname = "hostname"

// Originals is what puts back all that is kept, for a restore.
func Originals(s originals.Store) []Original {
	var all []Original
	for _, e := range s.List() {
		all = append(all, Original{Path: e.Path})
	}
	if s.Hostname() != "" {
		all = append(all, Original{Path: LiveHostname})
	}
	return all
}

// ID is "original:" and the path.
func (o Original) ID() string { return "original:" + o.Path }

// Live is true of the host name alone.
func (o Original) Live() bool { return o.Path == LiveHostname }

// Describe says what is wanted, for golden plans.
func (o Original) Describe() string { return "the image's own " + o.Path + "\n" }

// Check answers no change where nothing is kept: the path is the image's own.
func (o Original) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	if o.Live() {
		return o.checkHostname(h)
	}
	rec, kept, err := originals.Get(h, o.Path)
	if err != nil {
		return nil, fmt.Errorf("original of %s: %w", o.Path, err)
	}
	if !kept {
		return nil, nil
	}
	c, err := o.compare(h, rec)
	if err != nil {
		return nil, fmt.Errorf("original of %s: %w", o.Path, err)
	}
	do := func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return restore(ctx, h, rec)
	}
	return []plan.Change{{Say: o.say(rec), Diff: c.diff(), Risk: plan.Disrupts, Do: do}}, nil
}

func (o Original) say(rec originals.Record) string {
	switch {
	case !rec.Whole():
		return "undo the edit of " + o.Path
	case rec.State == originals.Absent:
		return "remove " + o.Path + ", which the image does not have"
	case rec.State == originals.Link:
		return "put back the link " + o.Path + " to " + rec.Link
	}
	return "put back the image's " + o.Path
}

// Bytes is what the path holds once it is put back, and whether it is there
// then.
func (o Original) Bytes(h *host.Host) (data []byte, there bool, err error) {
	rec, kept, err := originals.Get(h, o.Path)
	if err != nil {
		return nil, false, fmt.Errorf("original of %s: %w", o.Path, err)
	}
	if !kept {
		now, err := look(h, o.Path, true)
		return now.data, now.info.Exists, err
	}
	c, err := o.compare(h, rec)
	if err != nil {
		return nil, false, fmt.Errorf("original of %s: %w", o.Path, err)
	}
	if !rec.Whole() {
		return c.want.data, c.now.info.Exists, nil
	}
	return c.want.data, rec.State != originals.Absent, nil
}

// compare is for the diff, and finds early what would make the restore fail.
func (o Original) compare(h *host.Host, rec originals.Record) (comparison, error) {
	c := comparison{path: o.Path}
	var err error
	if c.now, err = look(h, rec.Target, false); err != nil {
		return c, err
	}
	if rec.Whole() {
		c.want.data, err = afterRestore(h, rec)
	} else if c.now.info.Exists {
		c.want.data, err = undo(h, rec, rec.Edits, c.now.data)
	}
	c.want.shown = c.want.data
	// Either side may hold secrets: ours, or the image's own.
	private := rec.State == originals.Regular && rec.Mode&0o004 == 0
	c.hide = private || (c.now.info.Exists && c.now.info.Mode&0o004 == 0)
	return c, err
}

func (o Original) checkHostname(h *host.Host) ([]plan.Change, error) {
	name, err := originals.KeptHostname(h)
	if err != nil {
		return nil, fmt.Errorf("original host name: %w", err)
	}
	if name == "" {
		return nil, nil
	}
	do := func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := h.SetHostname(name); err != nil {
			return err
		}
		return originals.ForgetHostname(h)
	}
	return []plan.Change{{Say: "put back the live host name " + name, Risk: plan.Disrupts, Do: do}}, nil
}
