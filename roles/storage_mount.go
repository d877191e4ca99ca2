package roles

import (
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// mount asks for a file system and its mount.
func (s *storagePlan) mount(m Mount) {
	create, why := s.consent(m.Create, s.p.Why("storage.mounts"))
	wanted := resource.Mount{Path: m.Path, Options: m.Options, Owner: m.Owner, Group: m.Group, Mode: m.Mode}
	step := s.step(wanted, mountWithin, why)
	step.Lasting = true // one that is up stays so, whatever became of a layer since
	on, below := s.device(m.From)
	if on == nil {
		step.Resource = withhold(plan.Resource.Check, wanted.ID(), "which volume it lies on is not known")
		step.Needs = []string{below}
	} else {
		wanted.From = resource.FileSystem{Storage: s.common, On: on, Type: m.Type, Label: m.Label, Options: m.Mkfs, Create: create}
		step.Resource, step.Needs = wanted, []string{wanted.From.ID()}
		fs := s.step(wanted.From, filesystemWithin, why)
		fs.Needs, fs.Lasting = []string{below}, true
		s.filesystems = append(s.filesystems, fs)
	}
	if parent := s.mountAbove(m.Path); parent != "" {
		step.Needs = append(step.Needs, resource.Mount{Path: parent}.ID())
	}
	s.mounts = append(s.mounts, step)
}

// device is what a file system lies on, and the step that it needs. nil: which
// volume that is is not known, or it must not be touched.
func (s *storagePlan) device(r Ref) (resource.Device, string) {
	switch r.Kind {
	case "volumes":
		c, step := s.sets[r.Name], resource.Volumes{Name: r.Name}.ID()
		if c.wrong != "" || len(c.ids) != 1 {
			return nil, step
		}
		return resource.Volume{VolumeID: c.ids[0]}, step
	case "raid":
		a := s.md(s.arrayNamed(r.Name))
		return a, a.ID()
	}
	group, name, _ := strings.Cut(r.Name, "/")
	g := s.p.Storage.Groups[slices.IndexFunc(s.p.Storage.Groups, func(g Group) bool { return g.Name == group })]
	v := s.lv(s.vg(g), g.Volumes[slices.IndexFunc(g.Volumes, func(v LogicalVolume) bool { return v.Name == name })])
	return v, v.ID()
}

// mountAbove is the nearest other mount that a path lies in; "" where there is
// none.
func (s *storagePlan) mountAbove(p string) string {
	for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
		if slices.ContainsFunc(s.p.Storage.Mounts, func(m Mount) bool { return m.Path == dir }) {
			return dir
		}
	}
	return ""
}
