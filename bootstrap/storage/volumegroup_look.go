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

// lvmDevice is a device of a group that is there.
type lvmDevice struct {
	Device
	node   string
	pv     block.PV
	isPV   bool
	intent intent // ours to make it a physical volume of the group
	known  bool
}

// half says that we began to make it one, and nobody saw the group whole.
func (d lvmDevice) half() bool { return d.known && d.intent.half() }

// ours says that it is the physical volume that we were making.
func (d lvmDevice) ours() bool { return d.half() && d.noted() }

// noted says that it has the UUID that was noted before it was made, whether or
// not that was ended since.
func (d lvmDevice) noted() bool { return d.known && sameUUID(d.pv.UUID, d.intent.UUID) }

// lvmSight is what there is of a group.
type lvmSight struct {
	devices []lvmDevice
	missing []string // devices that are not there, in words
	lvm     block.LVM
	group   *block.VG // nil where there is none of the name
	groups  int       // how many are called so
}

// half says that the group is one that we began, and nobody saw whole.
func (s lvmSight) half() bool { return s.began() != "" }

func (s lvmSight) began() string {
	for _, d := range s.devices {
		if d.half() {
			return d.intent.Began
		}
	}
	return ""
}

// made says that the group was created on this instance, by us, on all of its
// devices, and that these still are what was made.
func (s lvmSight) made() bool {
	for _, d := range s.devices {
		if !d.noted() {
			return false
		}
	}
	return len(s.devices) > 0 && len(s.missing) == 0
}

// in tells the devices that are in the group from the others.
func (s lvmSight) in(group string) (in, outside []lvmDevice) {
	for _, d := range s.devices {
		if d.isPV && d.pv.Group == group {
			in = append(in, d)
		} else {
			outside = append(outside, d)
		}
	}
	return in, outside
}

// list is for LVM's --devices.
func (s lvmSight) list() string { return strings.Join(s.nodes(), ",") }

func (s lvmSight) nodes() []string {
	var all []string
	for _, d := range s.devices {
		all = append(all, d.node)
	}
	return all
}

func lvmNames(devices []lvmDevice) string {
	var all []string
	for _, d := range devices {
		all = append(all, called(d.Device))
	}
	return strings.Join(all, ", ")
}

func (g VolumeGroup) look(ctx context.Context, h *host.Host) (lvmSight, error) {
	var s lvmSight
	for _, on := range g.Over {
		node, err := on.Node(ctx, h)
		var wait *plan.NotYet
		if errors.As(err, &wait) { // whatever waits for devices had its time
			s.missing = append(s.missing, called(on))
			continue
		}
		if err != nil {
			return s, err
		}
		d := lvmDevice{Device: on, node: node}
		if d.intent, d.known, err = g.intendedFor(h, on.Volumes(), g.ID()); err != nil {
			return s, err
		}
		s.devices = append(s.devices, d)
	}
	if s.bare(ctx, h) {
		return s, nil
	}
	var err error
	if s.lvm, err = block.Look(ctx, h, s.nodes()); err != nil {
		return s, fmt.Errorf("what LVM finds on %s: %w", strings.Join(g.Volumes(), ", "), err)
	}
	for i, d := range s.devices {
		for _, pv := range s.lvm.PVs {
			if pv.Node == d.node {
				s.devices[i].pv, s.devices[i].isPV = pv, true
			}
		}
	}
	for i, vg := range s.lvm.VGs {
		if vg.Name == g.Name {
			s.group = &s.lvm.VGs[i]
			s.groups++
		}
	}
	return s, nil
}

// bare says that nothing was ever begun on the devices and that nobody recognises
// anything there, a physical volume of LVM's least of all: blkid reads its label
// where LVM does, and ends sooner by much than LVM, which would find nothing.
func (s lvmSight) bare(ctx context.Context, h *host.Host) bool {
	holds := make([]bool, len(s.devices))
	block.Beside(len(s.devices), func(i int) {
		if holds[i] = s.devices[i].known; holds[i] {
			return
		}
		c, err := block.Probe(ctx, h, s.devices[i].node)
		holds[i] = err != nil || c.Type != ""
	})
	return !slices.Contains(holds, true)
}
