package roles

import (
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

// mount asks for a file system and its mount.
func (s *storagePlan) mount(m Mount) {
	create, why := s.consent(m.Create, s.p.whyOf("storage.mounts", m.By))
	wanted := storage.Mount{Path: m.Path, Options: m.Options, Owner: m.Owner, Group: m.Group, Mode: m.Mode}
	fs := storage.FileSystem{Common: s.common, Type: m.Type, Label: m.Label, Options: m.Mkfs, Create: create}
	step := s.used(m.From, fs, wanted.ID(), why, func(fs storage.FileSystem) plan.Resource { wanted.From = fs; return wanted })
	if above := s.mountAbove(m.Path); above != "" {
		step.Needs = append(step.Needs, above)
	}
	s.mounts = append(s.mounts, step)
}

// swap asks for a swap area and its use.
func (s *storagePlan) swap(w SwapArea) {
	create, why := s.consent(w.Create, s.p.whyOf("storage.swap", w.By))
	fs := storage.FileSystem{Common: s.common, Type: "swap", Label: w.Label, Create: create}
	s.mounts = append(s.mounts, s.used(w.From, fs, "swap:"+w.From.String(), why, func(fs storage.FileSystem) plan.Resource { return storage.Swap{From: fs} }))
}

// used is the step that uses a file system, which it asks for as well. The ID is
// for where it is not known which device that lies on.
func (s *storagePlan) used(from Ref, fs storage.FileSystem, id, why string, by func(storage.FileSystem) plan.Resource) plan.Step {
	on, below := s.device(from)
	if on == nil {
		step := s.step(withhold(plan.Resource.Check, id, "which volume it lies on is not known"), mountWithin, why)
		step.Needs, step.Lasting = []string{below}, true
		return step
	}
	fs.On = on
	made := s.step(fs, filesystemWithin, why)
	made.Needs, made.Lasting = []string{below}, true
	s.filesystems = append(s.filesystems, made)
	step := s.step(by(fs), mountWithin, why)
	step.Needs, step.Lasting = []string{fs.ID()}, true // one that is up stays so, whatever became of a layer since
	return step
}

// device is what a file system lies on, and the step that it needs. nil: which
// volume that is is not known, or it must not be touched.
func (s *storagePlan) device(r Ref) (storage.Device, string) {
	switch r.Kind {
	case "volumes":
		c, step := s.sets[r.Name], storage.Volumes{Name: r.Name}.ID()
		if c.wrong != "" || len(c.ids) != 1 {
			return nil, step
		}
		return storage.Volume{VolumeID: c.ids[0]}, step
	case "raid":
		a := s.md(s.arrayNamed(r.Name))
		return a, a.ID()
	}
	group, name, _ := strings.Cut(r.Name, "/")
	g := s.p.Storage.Groups[slices.IndexFunc(s.p.Storage.Groups, func(g Group) bool { return g.Name == group })]
	v := s.lv(s.vg(g), g.Volumes[slices.IndexFunc(g.Volumes, func(v LogicalVolume) bool { return v.Name == name })])
	return v, v.ID()
}

// mountAbove is the step of the nearest other mount that a path lies in; "" where
// there is none.
func (s *storagePlan) mountAbove(p string) string {
	for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
		if slices.ContainsFunc(s.p.Storage.Mounts, func(m Mount) bool { return m.Path == dir }) {
			return storage.Mount{Path: dir}.ID()
		}
		for _, h := range s.p.Storage.Held {
			if h.Path == dir {
				return h.ID
			}
		}
	}
	return ""
}
