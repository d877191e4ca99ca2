package roles

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
)

// selection is a volume set on this machine.
type selection struct {
	set   VolumeSet
	say   string   // how it is chosen, for people
	ids   []string // those that are known, sorted
	lacks string   // why fewer are known than there must be; "" where all are
	wrong string   // why nothing may be done with any of them; "" where it may
}

// selectVolumes finds the ids of every set. The root's disk is in none, and no
// volume is in two: with which of them it belongs would be a guess.
func selectVolumes(f facts.Facts, sets []VolumeSet) []selection {
	out := make([]selection, len(sets))
	in := map[string][]int{}
	for i, set := range sets {
		s := selection{set: set}
		switch {
		case len(set.IDs) > 0:
			s.byID(f)
		case len(set.Devices) > 0:
			s.byDevice(f)
		case set.Store:
			s.byStore(f)
		default:
			s.byTag(f)
		}
		slices.Sort(s.ids)
		s.ids = slices.Compact(s.ids)
		for _, id := range s.ids {
			in[id] = append(in[id], i)
		}
		out[i] = s
	}
	for _, id := range slices.Sorted(maps.Keys(in)) {
		if sets := in[id]; len(sets) > 1 {
			for _, i := range sets {
				other := sets[0]
				if other == i {
					other = sets[1]
				}
				out[i].refuse("%s is in volumes/%s as well: change the choice of one of them", id, out[other].set.Name)
			}
		}
	}
	for i := range out {
		for _, id := range out[i].ids {
			if isShared(f, id) {
				out[i].refuse("%s is attached to another instance as well: detach it there", id)
			}
		}
		out[i].count()
	}
	return out
}

// refuse keeps the first reason.
func (s *selection) refuse(format string, args ...any) {
	if s.wrong == "" {
		s.wrong = fmt.Sprintf(format, args...)
	}
}

func (s *selection) byID(f facts.Facts) {
	s.say = "ids " + strings.Join(s.set.IDs, " ")
	for _, id := range s.set.IDs {
		if isRoot(f, id) {
			s.refuse("%s is the disk of the running system: take it out of storage.volumes.%s.ids", id, s.set.Name)
			continue
		}
		s.ids = append(s.ids, id)
	}
}

func (s *selection) byTag(f facts.Facts) {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(s.set.Tags)) {
		pairs = append(pairs, k+"="+s.set.Tags[k])
	}
	s.say = "tags " + strings.Join(pairs, " ")
	all, known := f.Volumes.Get()
	if why, detail := f.Volumes.Why(); !known && why != "" {
		if detail != "" {
			detail = ": " + detail
		}
		s.lacks = fmt.Sprintf("the tags of its volumes are unknown (%s%s); the instance's role needs the permission ec2:DescribeVolumes, or storage.volumes.%s names ids or devices", why, detail, s.set.Name)
		return
	}
	var shared []string
	for id, v := range all {
		switch {
		case isRoot(f, id) || !s.tagged(v):
		case isShared(f, id):
			shared = append(shared, id)
		default:
			s.ids = append(s.ids, id)
		}
	}
	s.lacks = fmt.Sprintf("%d attached volumes have %s", len(s.ids), s.say)
	if slices.Sort(shared); len(shared) > 0 {
		s.lacks += "; left out, as other instances have it attached too: " + strings.Join(shared, " ")
	}
}

func (s *selection) tagged(v facts.EBSVolume) bool {
	for k, want := range s.set.Tags {
		if got, ok := v.Tags[k]; !ok || got != want {
			return false
		}
	}
	return true
}

// byDevice asks the disks themselves, and the EC2 API, what they were called at
// their attachment.
func (s *selection) byDevice(f facts.Facts) {
	s.say = "devices " + strings.Join(s.set.Devices, " ")
	var missing []string
	for _, name := range s.set.Devices {
		ids := attachedAs(f, name)
		ids = slices.DeleteFunc(ids, func(id string) bool {
			if root := isRoot(f, id); root {
				s.refuse("%s (%s) is the disk of the running system: take it out of storage.volumes.%s.devices", name, id, s.set.Name)
				return true
			}
			return false
		})
		switch {
		case len(ids) > 1:
			s.refuse("%s is the name of several volumes: %s; name ids instead", name, strings.Join(ids, " "))
		case len(ids) == 0 && s.wrong == "":
			if isScratch(f, name) {
				s.refuse("%s is instance store, which loses its content when the instance stops: no set of volumes takes it by its name; instance_store does", name)
			}
			missing = append(missing, name)
		}
		s.ids = append(s.ids, ids...)
	}
	s.lacks = "nothing is attached as " + strings.Join(missing, ", ")
}

// instanceStore is the kind of the instance's own disks, as facts say it.
const instanceStore = "instance-store"

// byStore takes all of the instance's own disks: which of them were meant would
// be a guess, so that they must be as many as the profile says.
func (s *selection) byStore(f facts.Facts) {
	s.say = "instance_store"
	unknown := 0
	for _, d := range f.Disks {
		switch {
		case d.Kind != instanceStore:
		case d.Volume == "":
			unknown++
		case d.Root:
			s.refuse("the running system lies on instance store (%s): it is not scratch", d.Volume)
		default:
			s.ids = append(s.ids, d.Volume)
		}
	}
	s.lacks = fmt.Sprintf("the instance has %d disks of its own", len(s.ids)+unknown)
	if unknown > 0 {
		s.lacks += fmt.Sprintf(", %d of which do not say their serial number", unknown)
	}
}

// attachedAs are the ids of the volumes of a name, sorted.
func attachedAs(f facts.Facts, name string) []string {
	var ids []string
	for _, d := range f.Disks {
		if d.Volume != "" && d.Kind != instanceStore && attachment(d.Name) == name {
			ids = append(ids, d.Volume)
		}
	}
	for id, v := range f.Volumes.Or(nil) {
		if attachment(v.Device) == name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// isScratch says that a disk of that name is no volume at all.
func isScratch(f facts.Facts, name string) bool {
	for _, d := range f.Disks {
		if d.Kind == instanceStore && attachment(d.Name) == name {
			return true
		}
	}
	return false
}

// isShared says that another instance has a volume attached too, as the API
// knows: what is made or mounted here would be written by two.
func isShared(f facts.Facts, id string) bool { return f.Volumes.Or(nil)[id].Attachments > 1 }

// isRoot says that the running system lies on a volume, by the disks or by
// what the API and IMDS call the root's device.
func isRoot(f facts.Facts, id string) bool {
	for _, d := range f.Disks {
		if d.Volume == id {
			return d.Root
		}
	}
	root := f.Instance.BlockDevices.Or(nil)["root"]
	v, ok := f.Volumes.Or(nil)[id]
	return ok && root != "" && attachment(v.Device) == attachment(root)
}

// count holds what was found to what there must be.
func (s *selection) count() {
	if n := len(s.ids); n > s.set.Count {
		if s.set.Store {
			s.refuse("the instance has %d disks of its own, and %d are wanted: %s; correct storage.volumes.%s.instance_store, which takes all of them", n, s.set.Count, strings.Join(s.ids, " "), s.set.Name)
		}
		s.refuse("%d volumes have %s, and %d are wanted: %s; which of them do not belong would be a guess: take a tag off those", n, s.say, s.set.Count, strings.Join(s.ids, " "))
	}
	if len(s.ids) >= s.set.Count {
		s.lacks = ""
	}
}
