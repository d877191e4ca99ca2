package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// VolumeGroup is an LVM group. Its ID is "lvm:" + Name; it is live.
//
// LVM is asked about the group's own devices and about no others: no list of
// devices of its own, and no copy of a volume elsewhere, has a say.
type VolumeGroup struct {
	Common
	Name     string
	Over     []Device
	Create   Consent
	Degraded string // as MDArray
}

// ID is "lvm:" and the name.
func (g VolumeGroup) ID() string { return "lvm:" + g.Name }

// Live is true: groups are the running kernel's.
func (VolumeGroup) Live() bool { return true }

// Volumes are those that its devices lie upon.
func (g VolumeGroup) Volumes() []string {
	var all []string
	for _, d := range g.Over {
		all = append(all, d.Volumes()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Describe says what is wanted, for golden plans.
func (g VolumeGroup) Describe() string {
	var on []string
	for _, d := range g.Over {
		on = append(on, d.ID())
	}
	return "a group on " + strings.Join(on, ", ") + describePolicy(g.Create, g.Degraded)
}

// Check asks LVM what is on the group's devices.
func (g VolumeGroup) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if err := g.sound(h); err != nil {
		return nil, err
	}
	if err := toolRuns(ctx, h, g.ID()); err != nil {
		return nil, err
	}
	s, err := g.look(ctx, h)
	if err != nil {
		return nil, err
	}
	return g.judge(ctx, h, s)
}

func (g VolumeGroup) sound(h *host.Host) error {
	switch {
	case !h.Live():
		return fmt.Errorf("%s: %w", g.ID(), host.ErrOffline)
	case !deviceName.MatchString(g.Name):
		return fmt.Errorf("%q is no name of a group", g.Name)
	case len(g.Over) == 0:
		return fmt.Errorf("%s lies on nothing", g.ID())
	}
	return nil
}

// judge decides what is to be done from what is there.
func (g VolumeGroup) judge(ctx context.Context, h *host.Host, s lvmSight) ([]plan.Change, error) {
	if len(s.devices) == 0 {
		return nil, fmt.Errorf("none of its devices is there: %s", strings.Join(s.missing, ", "))
	}
	if err := g.strangers(s); err != nil {
		return nil, err
	}
	_, outside := s.in(g.Name)
	switch {
	case s.group == nil, len(outside) > 0 && s.half():
		return g.create(ctx, h, s)
	case len(outside) > 0:
		return nil, fmt.Errorf("the group %s is there, and %s is no part of it; nothing was touched; vgextend adds it, or take it out of the profile", g.Name, lvmNames(outside))
	}
	if err := g.whole(s); err != nil {
		return nil, err
	}
	if s.half() {
		do := func(ctx context.Context) error { return g.endAll(ctx, h, s) }
		return []plan.Change{{Say: fmt.Sprintf("note that %s, begun at %s, is made", g.ID(), s.began()), Risk: plan.Safe, Do: do}}, nil
	}
	return nil, nil
}

// strangers refuses devices that belong to another group, or whose members LVM
// does not tell apart.
func (g VolumeGroup) strangers(s lvmSight) error {
	var errs []error
	for _, d := range s.devices {
		switch {
		case !d.isPV:
		case d.pv.Group == "" && !d.ours():
			errs = append(errs, fmt.Errorf("%s is a physical volume (%s) of no group, and none of ours; nothing was touched; pvremove it, or give another volume", called(d.Device), d.pv.UUID))
		case d.pv.Group != "" && d.pv.Group != g.Name:
			errs = append(errs, fmt.Errorf("%s belongs to the group %s, and not to %s; nothing was touched; correct the profile, or attach other volumes", called(d.Device), d.pv.Group, g.Name))
		case d.pv.Group != "" && s.half() && !d.noted(): // vgextend would write on it
			errs = append(errs, fmt.Errorf("its creation began at %s, and %s is a physical volume (%s) of a group of that name that is not it; nothing was touched; where that is right, remove the entry of %s from the files of these volumes in %s/intents",
				s.began(), called(d.Device), d.pv.UUID, g.ID(), g.Folder))
		}
	}
	for _, c := range s.lvm.Copies {
		name := c.Node
		for _, d := range s.devices {
			if d.node == c.Node {
				name = called(d.Device)
			}
		}
		errs = append(errs, fmt.Errorf("%s says that it is the same physical volume (%s) as another of these devices: one is a copy, as of a snapshot; neither is touched; detach the one that is not meant", name, c.UUID))
	}
	if s.groups > 1 {
		errs = append(errs, fmt.Errorf("%d groups on these devices are called %s; nothing was touched; detach the devices that are not meant", s.groups, g.Name))
	}
	return errors.Join(errs...)
}

// whole refuses a group that lacks devices, where the policy does, or that has
// some which are none of the profile's.
func (g VolumeGroup) whole(s lvmSight) error {
	switch {
	case s.group.Missing == 0:
		return nil
	case s.group.Missing > len(s.missing):
		return fmt.Errorf("the group %s lacks %d devices, and of the profile's only %d are missing: it has others besides; nothing was touched; add them to the profile",
			g.Name, s.group.Missing, len(s.missing))
	case g.Degraded == DegradedRefuse:
		return fmt.Errorf("%s is missing, and degraded is refuse; attach it, or set degraded: read-only or start", strings.Join(s.missing, ", "))
	}
	return nil
}

// Notes tells what the group lacks.
func (g VolumeGroup) Notes(h *host.Host) []string {
	if !h.Live() {
		return nil
	}
	var notes []string
	for _, d := range g.Over {
		if v, ok := d.(Volume); ok { // an array tells of itself
			if _, missing, err := attached(h, v.Volumes()); err == nil && len(missing) > 0 {
				notes = append(notes, fmt.Sprintf("%s is degraded: volume %s is missing", g.ID(), v.VolumeID))
			}
		}
	}
	return append(notes, g.ungrown(h, g)...)
}
