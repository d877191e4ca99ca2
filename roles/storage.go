package roles

import (
	"cmp"
	"path"
	"slices"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

// How long the storage's steps may take. A file system of terabytes is made or
// checked in minutes; the rest is a tool's run and udev's.
const (
	layerWithin      = 2 * time.Minute
	filesystemWithin = 15 * time.Minute
	mountWithin      = 12 * time.Minute // an ext4 is checked first
)

// planStorage asks for the role's disks, layer by layer: volumes, arrays,
// groups, file systems, mounts. Which volumes those are is decided here, by
// their ids; everything else is seen on the machine.
//
// What cannot be decided holds back what lies on it, and nothing else: whoever
// tags a volume cannot keep a machine from its names and its users.
func planStorage(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Storage == nil {
		return nil, nil
	}
	s := storagePlan{f: f, p: p, sets: map[string]selection{}}
	found := selectVolumes(f, p.Storage.Volumes)
	s.common = commonStorage(f, found)
	s.common.Grow = p.Storage.Grow
	for _, c := range found {
		s.sets[c.set.Name] = c
		s.volumes(c)
	}
	for _, h := range p.Storage.Held {
		step := s.step(withhold(plan.Resource.Check, h.ID, h.Why), 0, cmp.Or(h.By, s.p.Why("storage.from_tags")))
		step.Required = !h.Beside
		s.layers = append(s.layers, step)
	}
	for _, a := range p.Storage.Arrays {
		s.array(a)
	}
	for _, g := range p.Storage.Groups {
		s.group(g)
	}
	for _, m := range p.Storage.Mounts {
		s.mount(m)
	}
	for _, w := range p.Storage.Swaps {
		s.swap(w)
	}
	return slices.Concat(s.layers, s.filesystems, s.mounts, s.growths()), nil
}

type storagePlan struct {
	f      facts.Facts
	p      Profile
	sets   map[string]selection
	common storage.Common

	layers, filesystems, mounts plan.Plan
}

// commonStorage is what all resources of the instance's disks are told.
func commonStorage(f facts.Facts, found []selection) storage.Common {
	var s storage.Common
	if id := f.InstanceID(); id != "" {
		s.Folder = path.Join(facts.InstancesPath, id, "storage")
		s.Witness = witnessTag + "=" + id
	}
	for _, c := range found {
		for _, id := range c.ids {
			if c.set.Store { // EC2 knows nothing of it, and it came empty: what lies there since is what the profile calls scratch
				s.Scratch, s.Witnessed = marked(s.Scratch, id), marked(s.Witnessed, id)
				continue
			}
			v, told := f.Volumes.Or(nil)[id]
			if !told && !unheard(f) {
				s.Untold = marked(s.Untold, id)
			}
			if v.Snapshot != "" {
				s.Snapshot = marked(s.Snapshot, id)
			}
			if witnessed(f, v) {
				s.Witnessed = marked(s.Witnessed, id)
			}
		}
	}
	return s
}

// witnessed says that a volume is new: whoever made it for this instance says so
// on it, or it is younger than the instance.
func witnessed(f facts.Facts, v facts.EBSVolume) bool {
	own := f.InstanceID()
	if own == "" {
		return false
	}
	d := f.Instance.Document.Or(facts.Document{})
	younger := d.InstanceID == own && !d.PendingTime.IsZero() && !v.Created.Before(d.PendingTime)
	return younger || v.Tags[witnessTag] == own
}

// unheard says that EC2 was asked in this pass and could not answer: then what is
// not known of a volume stays so, and the device's own proof counts. Where it was
// asked before a volume was attached, or nobody asked as no volume was there, it
// has yet to be.
func unheard(f facts.Facts) bool {
	if f.Volumes.IsKnown() && f.VolumesRead.Equal(f.Now) {
		return false
	}
	return slices.ContainsFunc(f.Problems, func(p facts.Problem) bool { return p.Path == facts.VolumesPath })
}

// witnessTag is the tag of a volume that names the instance it was made for.
const witnessTag = tagPrefix + "instance"

func marked(m map[string]bool, id string) map[string]bool {
	if m == nil {
		m = map[string]bool{}
	}
	m[id] = true
	return m
}

// step is what all steps here have in common.
func (s *storagePlan) step(r plan.Resource, within time.Duration, why string) plan.Step {
	return plan.Step{Resource: r, Concern: "storage", Within: within, Required: true, Why: why}
}

// consent is what may be created: never anything where nobody knows which
// instance's storage this is, since nothing could be noted before it is made.
func (s *storagePlan) consent(c storage.Consent, why string) (storage.Consent, string) {
	if c == storage.CreateIfBlank && s.common.Folder == "" {
		return storage.CreateNever, why + "; nothing is created while the instance's id is unknown"
	}
	return cmp.Or(c, storage.CreateNever), why
}

func (s *storagePlan) volumes(c selection) {
	v := storage.Volumes{Name: c.set.Name, IDs: c.ids, Count: c.set.Count, Say: c.say, Lacks: c.lacks, Scratch: c.set.Store}
	var r plan.Resource = v
	if c.wrong != "" {
		r = withhold(plan.Resource.Check, v.ID(), c.wrong)
	}
	step := s.step(r, s.p.Storage.Wait, s.p.Why("storage.volumes."+c.set.Name))
	step.Required = false // but by what needs it: an array may do without a volume, and says itself whether it does
	s.layers = append(s.layers, step)
}

// over makes a step begin when its volumes have been waited for. It does not
// need them all: an array comes up without one of them. It needs them where
// nothing is known of any, or nothing may be done with them.
func (s *storagePlan) over(step *plan.Step, set string) {
	c, id := s.sets[set], storage.Volumes{Name: set}.ID()
	if c.wrong != "" || len(c.ids) == 0 {
		step.Needs = append(step.Needs, id)
	} else {
		step.After = append(step.After, id)
	}
}

func (s *storagePlan) array(a Array) {
	_, why := s.consent(a.Create, s.p.Why("storage.raid."+a.Name))
	step := s.step(s.md(a), layerWithin, why)
	s.over(&step, a.Of)
	s.layers = append(s.layers, step)
}

func (s *storagePlan) md(a Array) storage.MDArray {
	c := s.sets[a.Of]
	create, _ := s.consent(a.Create, "")
	if c.wrong != "" {
		create = storage.CreateNever
	}
	return storage.MDArray{
		Common: s.common, Name: a.Name, Level: a.Level, Over: c.ids, Count: c.set.Count,
		Chunk: a.Chunk, Bitmap: a.Bitmap, Create: create, Degraded: a.Degraded,
	}
}

func (s *storagePlan) group(g Group) {
	r := s.vg(g)
	_, why := s.consent(g.Create, s.p.Why("storage.lvm."+g.Name))
	step := s.step(r, layerWithin, why)
	step.Lasting = true
	for _, of := range g.Of {
		if of.Kind == "volumes" {
			s.over(&step, of.Name)
		} else {
			step.Needs = append(step.Needs, storage.MDArray{Name: of.Name}.ID())
		}
	}
	s.layers = append(s.layers, step)
	for _, v := range g.Volumes {
		_, why := s.consent(g.Create, s.p.Why("storage.lvm."+g.Name+".volumes."+v.Name))
		step := s.step(s.lv(r, v), layerWithin, why)
		step.Needs, step.Lasting = []string{r.ID()}, true
		s.layers = append(s.layers, step)
	}
}

// vg is a group on the devices that are known. On others than it should have,
// it is never made.
func (s *storagePlan) vg(g Group) storage.VolumeGroup {
	r := storage.VolumeGroup{Common: s.common, Name: g.Name, Degraded: g.Degraded}
	r.Create, _ = s.consent(g.Create, "")
	wanted := 0
	for _, of := range g.Of {
		if of.Kind == "raid" {
			r.Over, wanted = append(r.Over, s.md(s.arrayNamed(of.Name))), wanted+1
			continue
		}
		for _, id := range s.sets[of.Name].ids {
			r.Over = append(r.Over, storage.Volume{VolumeID: id})
		}
		wanted += s.sets[of.Name].set.Count
	}
	if len(r.Over) != wanted {
		r.Create = storage.CreateNever
	}
	return r
}

func (s *storagePlan) lv(g storage.VolumeGroup, v LogicalVolume) storage.LogicalVolume {
	return storage.LogicalVolume{Group: g, Name: v.Name, Size: v.Size, Percent: v.Percent, Stripes: v.Stripes, Create: g.Create}
}

func (s *storagePlan) arrayNamed(name string) Array {
	i := slices.IndexFunc(s.p.Storage.Arrays, func(a Array) bool { return a.Name == name })
	return s.p.Storage.Arrays[i]
}
