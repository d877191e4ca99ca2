package storage

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// create is for a volume that its group does not have. It is made in a group
// that this instance has made, and in no other: one that was attached with data
// has what it should have, and an empty volume beside that would be a guess.
func (l LogicalVolume) create(ctx context.Context, h *host.Host, s lvmSight, i intent, known bool) ([]plan.Change, error) {
	if err := l.consented(ctx, s, i, known); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("create %s, %s, on %s", l.ID(), l.size(), lvmNames(s.devices))
	// It overwrites nothing: what lay where it comes to lie is the file system's
	// to prove blank.
	return []plan.Change{{Say: say, Risk: plan.Destroys, Do: func(ctx context.Context) error { return l.make(ctx, h) }}}, nil
}

func (l LogicalVolume) consented(ctx context.Context, s lvmSight, i intent, known bool) error {
	var others []string
	for _, v := range s.lvm.LVs {
		if v.Group == l.Group.Name {
			others = append(others, v.Name)
		}
	}
	has := "no volumes"
	if len(others) > 0 {
		has = strings.Join(others, ", ")
	}
	why, remedy := l.Create.refuses(ctx, l.Volumes())
	switch {
	case why != "":
		return fmt.Errorf("the group %s has no volume %s, but %s, and %s; correct the name, or %s", l.Group.Name, l.Name, has, why, remedy)
	case known && !i.half():
		return fmt.Errorf("it was created at %s, and the group %s has it no more, but %s; none is created in its place; where that is wanted, remove the entry of %s from the files of these volumes in %s/intents",
			i.Ended, l.Group.Name, has, l.ID(), l.Group.Folder)
	case s.group.Missing > 0 || len(s.missing) > 0:
		return fmt.Errorf("the group %s lacks devices, and nothing is created in it: %s", l.Group.Name, strings.Join(s.missing, ", "))
	case !s.made() && !named(ctx, l.Volumes()):
		return fmt.Errorf("the group %s has no volume %s, but %s, and this instance has not made that group: nothing is created in it; correct the name, or lvcreate it", l.Group.Name, l.Name, has)
	}
	return l.Group.heard(l.Volumes())
}

// make creates it after another look. Signatures that lie there are neither asked
// about nor taken away.
func (l LogicalVolume) make(ctx context.Context, h *host.Host) error {
	s, err := l.Group.look(ctx, h)
	if err != nil {
		return err
	}
	i, known, err := l.Group.intendedFor(h, l.Volumes(), l.ID())
	if err != nil {
		return err
	}
	v, err := l.find(s)
	if err != nil {
		return err
	}
	if v != nil {
		return &plan.NotYet{For: l.ID() + ", which has come to be there meanwhile"}
	}
	if err := l.consented(ctx, s, i, known); err != nil {
		return err
	}
	if !known {
		i = intent{For: l.ID(), UUID: newUUID(), Volumes: l.Volumes()}
		if err := l.Group.intend(h, i); err != nil {
			return err
		}
	}
	argv := []string{"lvcreate", "--devices", s.list(), "--name", l.Name, "--wipesignatures", "n", "--zero", "n", "--activate", "y"}
	if l.Size > 0 {
		argv = append(argv, "--size", fmt.Sprintf("%db", l.bytes(*s.group)))
	} else {
		argv = append(argv, "--extents", fmt.Sprintf("%d%%VG", l.Percent))
	}
	if l.Stripes > 1 {
		argv = append(argv, "--stripes", fmt.Sprint(l.Stripes))
	}
	if err := tool(ctx, h, l.ID(), lvmWithin, append(argv, l.Group.Name)...); err != nil {
		return err
	}
	return l.Group.seenWhole(ctx, h, i)
}

// activate makes the kernel know it. In a group that lacks devices LVM starts
// those volumes alone that lie on the others; what may not be written to, or by
// the policy should not, is started read-only, which writes nothing either.
func (l LogicalVolume) activate(ctx context.Context, h *host.Host, s lvmSight) ([]plan.Change, error) {
	argv := []string{"lvchange", "--devices", s.list(), "--activationmode", "complete", "--activate", "y"}
	protect := s.group.Missing > 0 && l.Group.Degraded != DegradedStart
	for _, d := range s.devices {
		ro, err := readOnly(h, path.Base(d.node))
		if err != nil {
			return nil, err
		}
		protect = protect || ro
	}
	say := "activate " + l.ID()
	if protect {
		say += ", read-only"
		argv = append(argv, "--config", fmt.Sprintf("activation{read_only_volume_list=[%q]}", l.path()))
	}
	do := func(ctx context.Context) error {
		return tool(ctx, h, l.ID(), lvmWithin, append(slices.Clone(argv), l.path())...)
	}
	return []plan.Change{{Say: say + " on " + lvmNames(s.devices), Risk: plan.Disrupts, Do: do}}, nil
}
