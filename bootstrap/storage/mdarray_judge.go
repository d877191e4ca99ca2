package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// judge decides what is to be done from what is there.
func (a MDArray) judge(ctx context.Context, h *host.Host, s mdSight) ([]plan.Change, error) {
	if len(s.members) == 0 {
		return nil, fmt.Errorf("none of its volumes is attached: %s", strings.Join(a.Over, ", "))
	}
	if err := a.strangers(s); err != nil {
		return nil, err
	}
	with, _ := s.with()
	switch {
	case len(with) == 0, s.half() && len(with) < a.Count:
		return a.create(ctx, h, s)
	}
	r, err := a.present(s)
	if err != nil {
		return nil, err
	}
	var changes []plan.Change
	if r == nil || !r.Running() {
		changes, err = a.assemble(ctx, h, s)
	} else {
		changes, err = a.asItRuns(ctx, h, s, *r)
	}
	if err != nil {
		return nil, err
	}
	if s.half() {
		do := func(ctx context.Context) error { return a.seenWhole(ctx, h, s.intent) }
		changes = append(changes, plan.Change{Say: fmt.Sprintf("note that %s, begun at %s, is made", a.ID(), s.intent.Began), Risk: plan.Safe, Do: do})
	}
	return changes, nil
}

// strangers refuses volumes that are not all of one array, that of the profile.
func (a MDArray) strangers(s mdSight) error {
	with, _ := s.with()
	var wrong []string
	for _, m := range with {
		if m.super.Level != fmt.Sprintf("raid%d", a.Level) || m.super.Devices != a.Count {
			wrong = append(wrong, m.holds())
		}
	}
	uuids := s.uuids()
	switch {
	case len(uuids) > 1:
		return fmt.Errorf("its volumes are not all of one array: %s; nothing was touched; attach those that belong together", all(with))
	case len(wrong) > 0:
		return fmt.Errorf("the profile says raid%d of %d volumes, and another array is there: %s; nothing was touched; correct the profile, or attach other volumes",
			a.Level, a.Count, strings.Join(wrong, ", "))
	case len(uuids) == 1 && s.half() && !sameUUID(uuids[0], s.intent.UUID):
		return fmt.Errorf("its creation began at %s, and what is there now is another array: %s; nothing was touched; where that is right, remove the entry of %s from the files of these volumes in %s/intents",
			s.intent.Began, all(with), a.ID(), a.Folder)
	}
	return errors.Join(copies(with), s.otherMembers())
}

// copies refuses two volumes that are one and the same member: one was restored
// from a snapshot of the other.
func copies(with []mdMember) error {
	for i, m := range with {
		for _, o := range with[:i] {
			if sameUUID(m.super.Device, o.super.Device) {
				return fmt.Errorf("volumes %s (%s) and %s (%s) say that they are the same member: one is a copy, as of a snapshot; neither is touched; detach the one that is not meant",
					o.Volume, o.Kernel, m.Volume, m.Kernel)
			}
		}
	}
	return nil
}

// otherMembers refuses an array that has devices which are none of the volumes.
func (s mdSight) otherMembers() error {
	var errs []error
	for _, r := range s.arrays {
		has := slices.Concat(r.Members, r.Faulty)
		if slices.ContainsFunc(has, func(k string) bool { return s.names[k] == "" }) {
			errs = append(errs, fmt.Errorf("the kernel has the array %s (%s) of %s, which are not all volumes of it; it is not touched", r.Kernel, r.UUID, s.memberNames(has)))
		}
	}
	return errors.Join(errs...)
}

// holds is what a member says that it is, in words.
func (m mdMember) holds() string {
	if !m.has {
		return fmt.Sprintf("%s (%s) of none", m.Volume, m.Kernel)
	}
	return fmt.Sprintf("%s (%s) of %s %q, %s of %d, UUID %s", m.Volume, m.Kernel, "array", m.super.Name, m.super.Level, m.super.Devices, m.super.UUID)
}

func all(members []mdMember) string {
	var said []string
	for _, m := range members {
		said = append(said, m.holds())
	}
	return strings.Join(said, ", ")
}

// present is the array that the kernel has of these superblocks, running or
// not; nil for none. Of two that are halves of it, neither of which runs, it is
// the first: both are stopped before it is assembled.
func (a MDArray) present(s mdSight) (*block.Array, error) {
	var running []*block.Array
	for i := range s.arrays {
		if s.arrays[i].Running() {
			running = append(running, &s.arrays[i])
		}
	}
	switch {
	case len(running) > 1:
		return nil, fmt.Errorf("%s and %s both run, of volumes that are one array: %s and %s; neither is touched; stop the one that is not meant",
			running[0].Kernel, running[1].Kernel, s.memberNames(running[0].Members), s.memberNames(running[1].Members))
	case len(running) == 1 && len(s.arrays) > 1:
		return nil, fmt.Errorf("%s runs without %s, which wait in an array of their own; see `mdadm --detail %s`", running[0].Kernel, s.othersThan(running[0]), running[0].Node())
	case len(running) == 1:
		return running[0], nil
	case len(s.arrays) > 0:
		return &s.arrays[0], nil
	}
	return nil, nil
}

func (s mdSight) othersThan(r *block.Array) string {
	var names []string
	for _, o := range s.arrays {
		if o.Kernel != r.Kernel {
			names = append(names, s.memberNames(o.Members))
		}
	}
	return strings.Join(names, ", ")
}

// asItRuns judges an array that runs, whoever started it. What serves is left
// alone: it is degraded, and that is said (Notes). One that runs without a member
// that is there is refused, so that nothing more begins to write to it.
func (a MDArray) asItRuns(ctx context.Context, h *host.Host, s mdSight, r block.Array) ([]plan.Change, error) {
	lacks := a.lacks(s, func(m mdMember) bool { return slices.Contains(r.Members, m.Kernel) })
	if lacks == "" {
		return nil, nil
	}
	if a.Level == 0 {
		return nil, fmt.Errorf("%s, and a raid0 without one of its volumes holds nothing that can be read", lacks)
	}
	alone := func(ctx context.Context) error { return a.outside(ctx, h, s.uuids()[0], leftAsItIs) }
	if err := alone(ctx); err != nil {
		return nil, fmt.Errorf("%s; %w", lacks, err)
	}
	used, err := usedBy(h, r.Kernel)
	if err != nil {
		return nil, err
	}
	change := func(say, option string) []plan.Change {
		do := func(ctx context.Context) error {
			if err := alone(ctx); err != nil {
				return err
			}
			return a.switchTo(ctx, h, r, option)
		}
		return []plan.Change{{Say: fmt.Sprintf("make %s %s: %s", a.ID(), say, lacks), Risk: plan.Disrupts, Do: do}}
	}
	switch {
	case a.Degraded == DegradedStart && r.State == "readonly":
		return change("writable", "--readwrite"), nil
	case a.Degraded == DegradedStart, used != "":
		return nil, nil
	case a.Degraded == DegradedRefuse:
		return nil, fmt.Errorf("%s, and degraded is refuse: others have started it (%s), and it is not used; attach the volume, or set degraded: read-only or start", lacks, r.Kernel)
	case r.State != "readonly":
		return change("read-only", "--readonly"), nil
	}
	return nil, nil
}

// switchTo makes a degraded array read-only or writable, if it is still the same
// and, for the former, unused.
func (a MDArray) switchTo(ctx context.Context, h *host.Host, r block.Array, option string) error {
	now, _, err := a.running(h)
	if err != nil {
		return err
	}
	if now == nil || now.Kernel != r.Kernel {
		return &plan.NotYet{For: a.ID() + ", which has just changed"}
	}
	if option == "--readonly" {
		if used, err := usedBy(h, r.Kernel); err != nil || used != "" {
			return errors.Join(err, fmt.Errorf("%s has come into use meanwhile (%s), and is left as it is", a.ID(), used))
		}
	}
	return tool(ctx, h, a.ID(), mdWithin, "mdadm", option, r.Node())
}
