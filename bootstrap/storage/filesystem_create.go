package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Bounds of what writes a file system.
const (
	mkfsWithin = 30 * time.Minute
	wipeWithin = time.Minute
)

// create is for a device on which nothing is recognised. The proof costs reads:
// a pass that may not create does without.
func (f FileSystem) create(ctx context.Context, h *host.Host, s found) ([]plan.Change, error) {
	if err := f.consented(ctx, h, s); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("create %s on %s", f.Type, called(f.On))
	if plan.Allowed(ctx) < plan.Destroys {
		say += " (once proven blank)"
	} else if err := f.proveBlank(ctx, h, f.On, s.node); err != nil {
		return nil, err
	}
	return []plan.Change{{Say: say, Risk: plan.Destroys, Do: func(ctx context.Context) error { return f.do(ctx, h) }}}, nil
}

// finish is for one that was begun by us and cut short: it has the UUID that we
// gave it, or the device is blank still.
func (f FileSystem) finish(ctx context.Context, h *host.Host, s found) ([]plan.Change, error) {
	if err := f.consented(ctx, h, s); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("create %s on %s anew: that of %s was cut short", f.Type, called(f.On), s.intent.Began)
	if !s.cut && plan.Allowed(ctx) < plan.Destroys {
		say += " (once proven blank)"
	} else if err := f.leftByUs(ctx, h, s); err != nil {
		return nil, err
	}
	return []plan.Change{{Say: say, Risk: plan.Destroys, Do: func(ctx context.Context) error { return f.do(ctx, h) }}}, nil
}

// consented refuses where the profile does not consent, and where no proof of
// the device itself would be enough.
func (f FileSystem) consented(ctx context.Context, h *host.Host, s found) error {
	why, remedy := f.Create.refuses(ctx, f.On.Volumes())
	switch {
	case why != "" && s.half():
		return fmt.Errorf("its mkfs of %s was cut short, and %s now; %s: it is finished then", s.intent.Began, why, remedy)
	case why != "":
		return fmt.Errorf("it holds nothing that anybody recognises, and %s: attach the volumes that hold it, or %s", why, remedy)
	case s.known && !s.half() && !f.gone(f.On):
		return fmt.Errorf("one was made there at %s, and nobody recognises it any more: nothing is made in its place; where that is wanted, remove its entry from %s",
			s.intent.Ended, path.Join(f.Folder, "intents"))
	}
	for _, v := range f.On.Volumes() {
		if f.Snapshot[v] {
			return fmt.Errorf("volume %s was made from a snapshot, so that it is not blank, and nobody recognises what it holds: nothing is made on it", v)
		}
	}
	if err := f.heard(f.On.Volumes()); err != nil {
		return err
	}
	ro, err := readOnly(h, path.Base(s.node))
	if err == nil && ro {
		err = fmt.Errorf("%s may not be written to%s", called(f.On), notesOf(h, f.On))
	}
	return err
}

// do looks and proves again, right before it writes.
func (f FileSystem) do(ctx context.Context, h *host.Host) error {
	at, err := placeOf(ctx, h, f.On)
	if err != nil {
		return err
	}
	s, err := f.see(ctx, h)
	if err != nil {
		return err
	}
	if s.holds.Type != "" && !s.cut {
		return fmt.Errorf("nothing was written: it has come to hold %s meanwhile", s.holds)
	}
	if err := f.consented(ctx, h, s); err != nil {
		return err
	}
	i := s.intent
	if s.half() {
		if err := f.leftByUs(ctx, h, s); err != nil {
			return err
		}
	} else {
		if err := f.proveBlank(ctx, h, f.On, s.node); err != nil {
			return err
		}
		if err := f.forgetGone(h, f.On); err != nil {
			return err
		}
		if err := f.intend(h, intent{For: f.ID(), UUID: newUUID(), Volumes: f.On.Volumes()}); err != nil {
			return err
		}
		if i, _, err = f.intendedFor(h, f.On.Volumes(), f.ID()); err != nil {
			return err
		}
	}
	return f.make(ctx, h, at, s, i)
}

// leftByUs is nil where a cut has left nothing, or what is known for ours and
// carries nothing of anybody's.
func (f FileSystem) leftByUs(ctx context.Context, h *host.Host, s found) error {
	if s.cut {
		return nothingUpon(h, s.node)
	}
	return f.ownBytes(ctx, h, f.On, s.node, f.Type, s.intent, f.proveBlank(ctx, h, f.On, s.node))
}

// make runs mkfs, and ends the intent once the file system is seen.
func (f FileSystem) make(ctx context.Context, h *host.Host, at place, s found, i intent) error {
	if err := at.still(ctx, h, f.On); err != nil {
		return err
	}
	if s.cut {
		// mkfs would refuse over its own signature; that one alone is taken away.
		if err := tool(ctx, h, f.ID(), wipeWithin, "wipefs", "--all", "--types", f.Type, s.node); err != nil {
			return err
		}
	}
	if err := at.still(ctx, h, f.On); err != nil {
		return err
	}
	if err := tool(ctx, h, f.ID(), mkfsWithin, makers[f.Type].argv(f, i.UUID, s.node)...); err != nil {
		return errors.Join(err, f.withdraw(ctx, h, s, err))
	}
	c, err := block.Probe(ctx, h, s.node)
	if err != nil {
		return err
	}
	if c.Type != f.Type || !sameUUID(c.UUID, i.UUID) {
		return fmt.Errorf("mkfs ended well, and yet %s is seen, and not %s (%s)", orNothing(c.String()), f.Type, i.UUID)
	}
	return f.seenWhole(ctx, h, i)
}

func orNothing(what string) string {
	if what == "" {
		return "nothing"
	}
	return what
}

// withdraw takes an intent back after an mkfs that has refused and written
// nothing, such as one with an option that it does not know: the intent must
// explain nothing that others write there.
func (f FileSystem) withdraw(ctx context.Context, h *host.Host, s found, why error) error {
	var failed *toolFailed
	if !errors.As(why, &failed) || s.half() {
		return nil // it may go on; or an earlier one has left something
	}
	if f.proveBlank(ctx, h, f.On, s.node) != nil {
		return nil // it has begun: the intent stays, and the next pass looks
	}
	return f.forget(h, f.ID(), f.On.Volumes())
}
