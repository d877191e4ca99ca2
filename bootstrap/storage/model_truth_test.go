package storage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"reveille/bootstrap/plan"
)

// owner is whose the bytes of an area are, as whoever drew them knows it.
type owner string

const (
	nobodys owner = ""      // never written to
	begun   owner = "begun" // half made, by area.step
	taken   owner = "taken" // somebody's, or ours and whole: it is written over by nobody
)

// area is what lies on a volume, on the array or on the logical volume, and what
// can be seen of it, which may be nothing.
type area struct {
	owner  owner
	step   string // of begun
	fs     string // what blkid recognises, beside superblocks and labels
	uuid   string // … of that
	head   bool   // bytes where samples find them
	middle bool   // bytes where only a reading of all finds them
	deep   bool   // a signature that wipefs alone knows
	cut    bool   // its mkfs never ended
	held   bool   // another device lies upon it
}

// model is a world of which it is known what may be written to. It knows nothing
// of how the code under test finds that out.
type model struct {
	*world
	ids     []string
	storage Common
	areas   map[string]*area // by a volume's kernel name; "array"; "lv"
	chains  [][]plan.Resource
	notes   map[string][]intent // by volume, as drawn
	most    plan.Risk
	grant   plan.Grant
	ours    bool // the group was made by this instance
	free    area // what is left in the group where a logical volume comes to lie

	meanwhile bool   // bytes come to lie where a look has found a device blank
	breaks    int    // the tool that writes, counted from 1, that breaks off
	how       string // it "fails", or the power goes with "nothing", "half" or the "whole" of it done
	torn      bool   // half an mkfs leaves nothing to recognise
	broke     bool
	wrote     []string // the tools that wrote in this turn
	all       []string // and in this case
	looking   bool
	before    string // the state, before a turn
	refused   int
	faults    []string
}

func (m *model) fault(format string, a ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, a...))
}

// at is the area of a device, by its kernel name.
func (m *model) at(kernel string) *area {
	switch {
	case strings.HasPrefix(kernel, "md"):
		kernel = "array"
	case strings.HasPrefix(kernel, "dm-"):
		kernel = "lv"
	}
	if m.areas[kernel] == nil {
		m.areas[kernel] = &area{}
	}
	return m.areas[kernel]
}

// kernelOf is the kernel name of a device; "" where it is not there.
func (m *model) kernelOf(d Device) string {
	switch d := d.(type) {
	case Volume:
		return m.disks[d.VolumeID]
	case MDArray:
		for k, a := range m.arrays {
			if a.state != "inactive" {
				return k
			}
		}
	case LogicalVolume:
		if v := m.lvs["db/mysql"]; v != nil && v.active {
			return v.kernel
		}
	}
	return ""
}

// named says that a person's word stands for these volumes.
func (m *model) named(volumes []string) bool {
	return !slices.ContainsFunc(volumes, func(v string) bool { return !slices.Contains(m.grant.Volumes, v) })
}

// scratch says that the profile's consent counts for these, as instance store.
func (m *model) scratch(volumes []string) bool {
	return !slices.ContainsFunc(volumes, func(v string) bool { return !slices.Contains(m.grant.Scratch, v) })
}

// forbids says why a resource may create nothing as things are; "" where it may.
func (m *model) forbids(r plan.Resource) string {
	create, volumes, on := createOf(r)
	if l, ok := r.(LogicalVolume); ok {
		switch {
		case m.lvs[l.path()] != nil:
			return "it is there"
		case !m.ours && !m.named(volumes):
			return "the group is somebody's"
		case m.noted(r.ID(), volumes) == "ended":
			return "it was there once"
		}
	}
	if !m.named(volumes) && (create != CreateIfBlank || !m.grant.IfBlank && !m.scratch(volumes)) {
		return "nobody consents"
	}
	for _, d := range on {
		if why := m.occupied(d, r.ID()); why != "" {
			return d.ID() + " " + why
		}
	}
	return ""
}

// createOf is what the profile says of a resource: its consent, the volumes that
// this is about, and the devices that it is written to.
func createOf(r plan.Resource) (create Consent, volumes []string, on []Device) {
	switch r := r.(type) {
	case MDArray:
		for _, v := range r.Over {
			on = append(on, Volume{v})
		}
		return r.Create, r.Over, on
	case VolumeGroup:
		return r.Create, r.Volumes(), r.Over
	case LogicalVolume:
		return r.Create, r.Volumes(), nil
	case FileSystem:
		return r.Create, r.On.Volumes(), []Device{r.On}
	}
	panic("no such resource")
}

// occupied says why a step may write nothing on a device.
func (m *model) occupied(d Device, step string) string {
	kernel := m.kernelOf(d)
	if kernel == "" {
		return "is not there"
	}
	a := m.at(kernel)
	recognised := a.fs != "" || m.recognised(kernel) != ""
	snapshot := slices.ContainsFunc(d.Volumes(), func(v string) bool { return m.storage.Snapshot[v] })
	switch {
	case a.held && (m.pvs[kernel] == nil || m.pvs[kernel].group == ""):
		return "is held"
	case snapshot && !recognised:
		return "was made from a snapshot"
	case a.owner == nobodys, a.owner == begun && a.step == step:
		return ""
	case strings.HasPrefix(step, "raid:"), recognised, a.deep, !m.named(d.Volumes()), m.noted(step, d.Volumes()) != "half":
		return fmt.Sprintf("holds %+v, %s", *a, m.recognised(kernel))
	}
	return "" // bytes where we had begun: a person says that they are nobody's
}

// noted says what was noted of a step for exactly these volumes when all began:
// that it was "half" done, or that it had "ended".
func (m *model) noted(step string, volumes []string) (state string) {
	for _, v := range volumes {
		for _, i := range m.notes[v] {
			switch {
			case i.For != step || !slices.Equal(i.Volumes, volumes):
			case !i.half():
				return "ended"
			default:
				state = "half"
			}
		}
	}
	return state
}

// state is all that lies on the devices, as text.
func (m *model) state() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(m.areas)) {
		if a := *m.areas[k]; a != (area{}) {
			all = append(all, fmt.Sprintf("%s%+v", k, a))
		}
	}
	return m.bytes() + strings.Join(all, " ")
}
