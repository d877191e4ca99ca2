package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// LogicalVolume is a volume of a group. Its ID is "lvm:" + group + "/" + Name; it
// is live.
type LogicalVolume struct {
	Group   VolumeGroup
	Name    string
	Size    int64 // bytes; 0 where Percent counts
	Percent int   // of the group
	Stripes int   // 0 and 1 are none
	Create  Consent
}

// ID is "lvm:", the group's name, and its own.
func (l LogicalVolume) ID() string { return "lvm:" + l.path() }

// path is how LVM writes it.
func (l LogicalVolume) path() string { return l.Group.Name + "/" + l.Name }

// Live is true: it is the running kernel's.
func (LogicalVolume) Live() bool { return true }

// Volumes are the group's.
func (l LogicalVolume) Volumes() []string { return l.Group.Volumes() }

// Describe says what is wanted, for golden plans.
func (l LogicalVolume) Describe() string {
	text := l.size()
	if l.Stripes > 1 {
		text += fmt.Sprintf(", in %d stripes", l.Stripes)
	}
	return text + describePolicy(l.Create, l.Group.Degraded)
}

func (l LogicalVolume) size() string {
	if l.Size != 0 {
		return fmt.Sprintf("%d bytes", l.Size)
	}
	return fmt.Sprintf("%d%% of the group", l.Percent)
}

// Check asks LVM about it, and the kernel whether it is there to be used.
func (l LogicalVolume) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if err := l.sound(h); err != nil {
		return nil, err
	}
	if err := errors.Join(toolRuns(ctx, h, l.Group.ID()), toolRuns(ctx, h, l.ID())); err != nil {
		return nil, err
	}
	s, err := l.Group.look(ctx, h)
	if err != nil {
		return nil, err
	}
	i, known, err := l.Group.intendedFor(h, l.Volumes(), l.ID())
	if err != nil {
		return nil, err
	}
	v, err := l.find(s)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return l.create(ctx, h, s, i, known)
	}
	var changes []plan.Change
	if !v.Active {
		if changes, err = l.activate(ctx, h, s); err != nil {
			return nil, err
		}
	} else if _, err := l.Node(ctx, h); err != nil {
		return nil, err
	}
	if known && i.half() {
		do := func(ctx context.Context) error { return l.Group.seenWhole(ctx, h, i) }
		changes = append(changes, plan.Change{Say: fmt.Sprintf("note that %s, begun at %s, is made", l.ID(), i.Began), Risk: plan.Safe, Do: do})
	}
	return changes, nil
}

func (l LogicalVolume) sound(h *host.Host) error {
	switch {
	case !deviceName.MatchString(l.Name):
		return fmt.Errorf("%q is no name of a logical volume", l.Name)
	case (l.Size > 0) == (l.Percent > 0), l.Size < 0, l.Percent < 0, l.Percent > 100:
		return fmt.Errorf("%s is to have %d bytes and %d%% of its group: one of them is wanted, and no more than there is", l.ID(), l.Size, l.Percent)
	}
	return l.Group.sound(h)
}

// find is the volume among those of its group; nil for none. Names are compared
// whole.
func (l LogicalVolume) find(s lvmSight) (*block.LV, error) {
	if s.group == nil {
		return nil, fmt.Errorf("there is no group %s on %s", l.Group.Name, strings.Join(l.Volumes(), ", "))
	}
	if err := errors.Join(l.Group.strangers(s), l.Group.whole(s)); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.lvm.LVs, func(v block.LV) bool { return v.Group == l.Group.Name && v.Name == l.Name })
	if at < 0 {
		return nil, nil
	}
	return &s.lvm.LVs[at], nil
}

// Node is its device node now, of a device that lies on the group's volumes
// alone; a *plan.NotYet where it is not active.
func (l LogicalVolume) Node(_ context.Context, h *host.Host) (string, error) {
	kernel, err := block.Mapped(h, mapped(l.Group.Name)+"-"+mapped(l.Name))
	if err != nil {
		return "", err
	}
	if kernel == "" {
		return "", &plan.NotYet{For: fmt.Sprintf("%s (on %s) to be activated", l.ID(), strings.Join(l.Volumes(), ", "))}
	}
	below, err := block.Below(h, kernel)
	if err != nil {
		return "", err
	}
	disks, _, err := attached(h, l.Volumes())
	if err != nil {
		return "", err
	}
	for _, k := range below {
		if !slices.ContainsFunc(l.Volumes(), func(id string) bool { return disks[id].Kernel == k }) {
			return "", fmt.Errorf("what the kernel calls %s/%s (%s) lies on %s, which is none of its volumes (%s); it is not touched",
				l.Group.Name, l.Name, kernel, k, strings.Join(l.Volumes(), ", "))
		}
	}
	return path.Join("/dev", kernel), nil
}

// asNoted asks for the group, by what was noted of its devices: in another's, it
// lies where something else may have lain. It lies on these devices, as Node has
// seen.
func (l LogicalVolume) asNoted(ctx context.Context, h *host.Host) (bool, error) {
	for _, on := range l.Group.Over {
		node, err := on.Node(ctx, h)
		var wait *plan.NotYet
		if errors.As(err, &wait) { // it is missing
			return false, nil
		}
		if err != nil {
			return false, err
		}
		holds, err := block.Probe(ctx, h, node)
		if err != nil {
			return false, fmt.Errorf("what %s holds: %w", called(on), err)
		}
		i, known, err := l.Group.intendedFor(h, on.Volumes(), l.Group.ID())
		if err != nil || !known || holds.Type != "LVM2_member" || !sameUUID(holds.UUID, i.UUID) {
			return false, err
		}
	}
	return len(l.Group.Over) > 0, nil
}

// mapped is a name within device-mapper's, which has one hyphen between two.
func mapped(name string) string { return strings.ReplaceAll(name, "-", "--") }

// Notes tells where it is not as large as the profile says.
func (l LogicalVolume) Notes(h *host.Host) []string {
	if !h.Live() || l.sound(h) != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), block.LookWithin)
	defer cancel()
	s, err := l.Group.look(ctx, h)
	if err != nil {
		return nil // its step says why
	}
	v, err := l.find(s)
	if err != nil || v == nil {
		return nil
	}
	want := l.bytes(*s.group)
	note := fmt.Sprintf("%s has %d bytes, and the profile's %s are %d; it is left as it is", l.ID(), v.Size, l.size(), want)
	// Of a part of the group, LVM's releases fill up the stripes or do not.
	switch apart := want - v.Size; {
	case -apart > l.filling(*s.group):
		return []string{note}
	case apart > l.filling(*s.group) && !l.Group.Grow:
		return []string{note + ": set storage: {grow: yes} and `systemctl reload reveille`, or lvextend it"}
	}
	return nil
}

// filling is by how much the stripes may make it another size.
func (l LogicalVolume) filling(g block.VG) int64 { return max(0, int64(l.Stripes)-1) * g.Extent }

// bytes is how large it becomes in this group: LVM gives extents, of a size the
// next larger whole number, of a part of the group the smaller, and as many for
// each stripe.
func (l LogicalVolume) bytes(g block.VG) int64 {
	if g.Extent <= 0 {
		return l.Size
	}
	stripes := max(1, int64(l.Stripes))
	if l.Size > 0 {
		extents := (l.Size + g.Extent - 1) / g.Extent
		return (extents + stripes - 1) / stripes * stripes * g.Extent
	}
	extents := g.Size / g.Extent * int64(l.Percent) / 100
	return extents / stripes * stripes * g.Extent
}
