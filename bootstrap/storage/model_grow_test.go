package storage

import (
	"maps"
	"path"
	"slices"

	"pgregory.net/rapid"

	"reveille/bootstrap/plan"
)

// grows are the tools that make what is there larger.
var grows = []string{"--grow", "pvresize", "lvextend"}

// enlargeSome makes some of the volumes larger, as whoever pays for them does.
func (d *drawer) enlargeSome() {
	which := oneOf(d, "enlarged", "none", "some", "all", "all")
	for _, id := range d.ids {
		size := worldDisk
		if which == "all" || which == "some" && d.chance(50, "this one") {
			size *= rapid.Int64Range(2, 4).Draw(d.t, "times as large")
		}
		if d.disks[id] != "" && size > worldDisk {
			d.enlarge(id, size)
		}
	}
}

// growths are of the layers that were so in this pass, where the profile lets them
// grow.
func (m *model) growths(so []plan.Resource) (all []plan.Resource) {
	for _, r := range so {
		if l, ok := r.(Layer); ok && m.storage.Grow {
			all = append(all, Growth{l})
		}
	}
	return all
}

// judgeGrowth holds a tool to the truth that makes a layer larger, right before it
// writes: it is told to by the profile, and of a layer that is there and whole.
func (m *model) judgeGrowth(g Growth, argv []string) {
	if !m.storage.Grow || m.most < plan.Disrupts {
		m.fault("with grow: %v, in a pass that may do no more than %s: %q", m.storage.Grow, m.most, argv)
	}
	for _, k := range targets(argv) {
		a := m.arrays[k]
		switch of := g.Of.(type) {
		case MDArray:
			if a == nil || len(a.members) < a.devices || a.level == 0 {
				m.fault("%q of %+v", argv, a)
			}
		case VolumeGroup:
			on := slices.ContainsFunc(of.Over, func(d Device) bool { return m.kernelOf(d) == k })
			if !on || m.pvs[k] == nil || m.pvs[k].group != of.Name || m.at(k).fs != "" {
				m.fault("%q of %+v, on which lies %+v", argv, m.pvs[k], *m.at(k))
			}
		}
	}
	if l, ok := g.Of.(LogicalVolume); ok && (m.lvs[l.path()] == nil || argv[len(argv)-1] != l.path()) {
		m.fault("%q of %+v", argv, m.lvs)
	}
}

// growth is what such a tool does, or a part of that; true where it does not like
// to. Nothing becomes smaller.
func (m *model) growth(verb string, argv []string, how string) (fails bool) {
	before := m.allSizes()
	switch {
	case how == "nothing":
	case verb == "--grow":
		fails = how != "half" && !m.mdGrow(argv)
	case verb == "pvresize" && how == "half":
		m.pvResize(argv[:4])
	case verb == "pvresize":
		fails = !m.pvResize(argv)
	case how != "half":
		fails = !m.lvExtend(argv)
	}
	for what, size := range m.allSizes() {
		if size < before[what] {
			m.fault("%q made %s smaller: of %d bytes %d", argv, what, before[what], size)
		}
	}
	return fails
}

// allSizes are in bytes, by what has them.
func (m *model) allSizes() map[string]int64 {
	all := maps.Clone(m.uses)
	for k, p := range m.pvs {
		all[k] = p.bytes()
	}
	for name, v := range m.lvs {
		all[path.Join("/", name)] = v.size
	}
	return all
}
