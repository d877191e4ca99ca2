package roles

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// HeldBack is what volumes' tags ask for and what is not done, and why.
type HeldBack struct {
	ID     string // of its step, "layout:vol-…"
	By     string // who asks: "tags of vol-…"; "" for storage.from_tags
	Why    string // and what to do
	Path   string // where it would be mounted; "" where that is not certain
	Beside bool   // the role's programs do without it, as the profile says what they need
}

// layOut adds what the volumes' own tags ask for to what the profile does, where
// the profile says so. What contradicts itself or the profile is held back alone.
func (p *Profile) layOut(f facts.Facts) {
	if p.Storage == nil {
		return
	}
	all, notes := layouts(f)
	in := p.chosen(f)
	if !p.Storage.FromTags {
		p.unheeded(all, in)
		return
	}
	p.Notes = append(p.Notes, notes...)
	s := *p.Storage
	if h, ok := p.allThere(f, all); !ok {
		s.Held = append(s.Held, h)
	}
	var left []*layout
	for _, l := range all {
		if !p.chosenAlready(l, in) {
			left = append(left, l)
		}
	}
	p.contested(left)
	for _, l := range left {
		own, settings := p.storageOf(l)
		if len(l.wrong) > 0 {
			s.Held = append(s.Held, l.heldBack())
			continue
		}
		s.add(own)
		p.Settings = append(p.Settings, settings...)
		if why := l.unwilling(); why != "" {
			p.Notes = append(p.Notes, fmt.Sprintf("nothing is created by the %s: %s", taggedBy(l.members), why))
		}
	}
	sort.Slice(s.Volumes, func(i, j int) bool { return s.Volumes[i].Name < s.Volumes[j].Name })
	sort.Slice(s.Arrays, func(i, j int) bool { return s.Arrays[i].Name < s.Arrays[j].Name })
	sort.Slice(s.Groups, func(i, j int) bool { return s.Groups[i].Name < s.Groups[j].Name })
	sortSettings(p.Settings)
	p.Storage = &s
}

// add takes in what another asks for.
func (s *Storage) add(o Storage) {
	s.Volumes = append(s.Volumes, o.Volumes...)
	s.Arrays = append(s.Arrays, o.Arrays...)
	s.Groups = append(s.Groups, o.Groups...)
	s.Mounts = append(s.Mounts, o.Mounts...)
	s.Swaps = append(s.Swaps, o.Swaps...)
}

// chosen are the volumes that the profile has a use for, and in which set.
func (p *Profile) chosen(f facts.Facts) map[string]string {
	in := map[string]string{}
	for _, c := range selectVolumes(f, p.Storage.Volumes) {
		for _, id := range c.ids {
			in[id] = c.set.Name
		}
	}
	return in
}

// unheeded tells of volumes that ask for something and have nobody to hear them.
func (p *Profile) unheeded(all []*layout, in map[string]string) {
	for _, l := range all {
		if slices.ContainsFunc(l.members, func(id string) bool { return in[id] == "" }) {
			p.Notes = append(p.Notes, fmt.Sprintf("the layout %s are passed over: storage.from_tags is not set", taggedBy(l.members)))
		}
	}
}

// chosenAlready says that the profile has a use for all of the volumes: its word
// counts, and the tags are its own to choose by.
func (p *Profile) chosenAlready(l *layout, in map[string]string) bool {
	var taken []string
	for _, id := range l.members {
		if in[id] != "" {
			taken = append(taken, id)
		}
	}
	switch {
	case len(taken) == 0:
		return false
	case len(taken) == len(l.members):
		p.Notes = append(p.Notes, fmt.Sprintf("the %s are passed over: volumes/%s of the profile has them", taggedBy(l.members), in[taken[0]]))
		return true
	}
	l.beside = true
	l.refuse("%s is in volumes/%s of the profile, and the others are not: take the tags off, or the volume out of the set", taken[0], in[taken[0]])
	return false
}

// claims are the names and places that a layout would take, whatever else it says.
func (l *layout) claims() []string {
	var out []string
	for _, s := range l.said["array"] {
		out = append(out, "volumes/"+s.value, "raid/"+s.value)
	}
	for _, s := range l.said["lvm"] {
		group, _, _ := strings.Cut(s.value, "/")
		if out = append(out, "lvm/"+group); !l.has("array") {
			out = append(out, "volumes/"+group)
		}
	}
	for _, s := range l.said["mount"] {
		out = append(out, "mount "+path.Clean(s.value))
	}
	return out
}

// claims are the names and places that the profile has.
func (s *Storage) claims() []string {
	var out []string
	for _, v := range s.Volumes {
		out = append(out, "volumes/"+v.Name)
	}
	for _, a := range s.Arrays {
		out = append(out, "raid/"+a.Name)
	}
	for _, g := range s.Groups {
		out = append(out, "lvm/"+g.Name)
	}
	for _, m := range s.Mounts {
		for dir := m.Path; dir != "/"; dir = path.Dir(dir) {
			out = append(out, "mount "+dir) // what is mounted above would hide it, or keep it waiting
		}
	}
	return out
}

// contested holds back what would take a name or a place that another has: of
// two layouts both, of a layout and the profile the layout.
func (p *Profile) contested(all []*layout) {
	own, first, told := map[string]bool{}, map[string]*layout{}, map[*layout]*layout{}
	for _, c := range p.Storage.claims() {
		own[c] = true
	}
	for _, l := range all {
		for _, c := range l.claims() {
			other := first[c]
			switch {
			case own[c] && l.beside: // told already
			case own[c]:
				l.beside = true
				l.refuse("%s is the profile's, which counts: give it another name by the %s, or take them off", cite.Quote(c), taggedBy(l.members))
			case other != nil && other != l:
				if told[l] == other {
					continue
				}
				told[l] = other
				for _, both := range []*layout{l, other} {
					both.refuse("%s is asked for by the tags of %s and of %s: change those of one", cite.Quote(c), other.members[0], l.members[0])
				}
			default:
				first[c] = l
			}
		}
	}
}

// storageOf is a layout as a profile of its own, with who set what in it. What
// is wrong with it is noted in the layout.
func (p *Profile) storageOf(l *layout) (Storage, []Setting) {
	l.agree()
	if len(l.wrong) > 0 {
		return Storage{}, nil
	}
	r := readLayout(l)
	m := mergeLayers(r.leaves)
	errs := m.finish()
	b := builder{m: m}
	s := b.storage(p)
	for _, e := range append(errs, b.errs...) {
		l.refuse("%v", e)
	}
	by := taggedBy(l.members)
	for i := range s.Mounts {
		s.Mounts[i].By = by
	}
	for i := range s.Swaps {
		s.Swaps[i].By = by
	}
	var settings []Setting
	for _, said := range m.settings() {
		if under(said.Key, "storage") && said.Key != "storage.wait" && said.Key != "storage.from_tags" { // which are one for all
			said.Written = r.written[said.Key]
			settings = append(settings, said)
		}
	}
	return *s, settings
}

// heldBack is a layout that nothing is done with.
func (l *layout) heldBack() HeldBack {
	h := HeldBack{ID: l.id(), By: taggedBy(l.members), Why: strings.Join(slices.Compact(l.wrong), "; "), Beside: l.beside}
	if at := l.text("mount"); !l.beside && mountPath().check(at) == nil && taggablePath(at) {
		h.Path = at
	}
	return h
}
