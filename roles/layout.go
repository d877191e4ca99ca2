package roles

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// layoutKeys are the tags by which volumes say themselves what lies on them, as
// reveille:KEY, and beside which others each says something: any of those
// words; "" is beside all. Their names are the profile's.
var layoutKeys = []struct{ key, beside string }{
	{"array", ""}, {"level", "array"}, {"chunk", "array"}, {"bitmap", "array"},
	{"lvm", ""}, {"size", "lvm"}, {"stripes", "lvm"}, {"degraded", "array lvm"},
	{"mount", ""}, {"type", "mount"}, {"options", "mount"}, {"mkfs", "mount"}, {"owner", "mount"}, {"group", "mount"}, {"mode", "mount"},
	{"swap", ""}, {"label", "mount swap"},
	{"count", ""}, {"create", ""}, {"total", ""},
}

// layout is what the tags of some volumes ask for together.
type layout struct {
	members []string            // ids of the volumes, sorted
	strange []string            // those with a tag of ours that is no key
	said    map[string][]saying // by key; two are a contradiction
	wrong   []string            // why nothing is done with it; none where it may be
	beside  bool                // it is the profile that stands against it
}

// saying is a value and the volumes that say it.
type saying struct {
	value string
	by    []string
}

// layouts are what the volumes' tags ask for, by the first volume of each: those
// that name one array are one, and so are those of one group, or of one mount.
// The notes are of tags that say nothing.
func layouts(f facts.Facts) (all []*layout, notes []string) {
	volumes := f.Volumes.Or(nil)
	found := map[string]*layout{}
	for _, id := range sortedIDs(volumes) {
		said, unknown := layoutTagsOf(volumes[id].Tags)
		for _, key := range unknown {
			notes = append(notes, fmt.Sprintf("tag %s of %s is passed over: %s", cite.Quote(tagPrefix+key), id, noLayoutKey(key)))
		}
		what := subject(id, said)
		switch {
		case len(said) == 0:
			continue
		case isRoot(f, id):
			notes = append(notes, fmt.Sprintf("the layout tags of %s are passed over: the running system lies on it", id))
			continue
		case what == "":
			notes = append(notes, fmt.Sprintf("the layout tags of %s are passed over: no %sarray, lvm, mount or swap says what it is for", id, tagPrefix))
			continue
		}
		l := found[what]
		if l == nil {
			l = &layout{said: map[string][]saying{}}
			found[what], all = l, append(all, l)
		}
		l.members = append(l.members, id)
		if len(unknown) > 0 {
			l.strange = append(l.strange, id)
		}
		for _, key := range slices.Sorted(maps.Keys(said)) {
			l.say(id, key, said[key])
		}
	}
	return all, notes
}

func sortedIDs(volumes map[string]facts.EBSVolume) []string {
	var ids []string
	for id := range volumes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// layoutTagsOf takes a volume's tags apart: what they say of a layout, and what
// is ours by its prefix and no key of one.
func layoutTagsOf(tags map[string]string) (said map[string]string, unknown []string) {
	said = map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		key, ours := strings.CutPrefix(tag, tagPrefix)
		switch {
		case !ours || tag == witnessTag:
		case slices.Contains(layoutTags(), key):
			said[key] = tags[tag]
		default:
			unknown = append(unknown, key)
		}
	}
	return said, unknown
}

// layoutTags lists the keys.
func layoutTags() []string {
	var out []string
	for _, k := range layoutKeys {
		out = append(out, k.key)
	}
	return out
}

func noLayoutKey(key string) string {
	if hint := meant(key, layoutTags()); hint != "" {
		return "no key of a layout has that name" + hint
	}
	return "no key of a layout has that name; there are " + strings.Join(layoutTags(), ", ")
}

// subject is what makes volumes one layout; "" where nothing does.
func subject(id string, said map[string]string) string {
	for _, key := range []string{"array", "lvm", "mount"} {
		if v, ok := said[key]; ok {
			return key + " " + v
		}
	}
	if _, ok := said["swap"]; ok {
		return "swap " + id
	}
	return ""
}

func (l *layout) say(id, key, value string) {
	for i, s := range l.said[key] {
		if s.value == value {
			l.said[key][i].by = append(s.by, id)
			return
		}
	}
	l.said[key] = append(l.said[key], saying{value, []string{id}})
}

// has says whether a tag of that key is on any of the volumes.
func (l *layout) has(key string) bool { return len(l.said[key]) > 0 }

// text is what they say; "" where nothing, or not one thing.
func (l *layout) text(key string) string {
	if len(l.said[key]) != 1 {
		return ""
	}
	return l.said[key][0].value
}

// unsaid are the volumes without a tag of that key.
func (l *layout) unsaid(key string) []string {
	var by, out []string
	for _, s := range l.said[key] {
		by = append(by, s.by...)
	}
	for _, id := range l.members {
		if !slices.Contains(by, id) {
			out = append(out, id)
		}
	}
	return out
}

// unwilling says why tags that ask for something to be created are not followed
// in that; "" where they are. Every volume consents for itself, and none where a
// part of what is wanted was not understood: what is made is made for good.
func (l *layout) unwilling() string {
	if !l.has("create") {
		return ""
	}
	if silent := l.unsaid("create"); len(silent) > 0 {
		return fmt.Sprintf("%screate is missing on %s", tagPrefix, strings.Join(silent, ", "))
	}
	if len(l.strange) > 0 {
		return fmt.Sprintf("a tag %s… of %s is no key of a layout", tagPrefix, strings.Join(l.strange, ", "))
	}
	return ""
}

// id names the layout among the plan's steps.
func (l *layout) id() string { return "layout:" + l.members[0] }

// taggedBy says in words whose tags.
func taggedBy(ids []string) string {
	if len(ids) == 1 {
		return "tags of " + ids[0]
	}
	return fmt.Sprintf("tags of %s and %d more", ids[0], len(ids)-1)
}

func (l *layout) refuse(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// agree holds the tags of the volumes to each other.
func (l *layout) agree() {
	for _, k := range layoutKeys {
		if said := l.said[k.key]; len(said) > 1 {
			l.wrong = append(l.wrong, differ(k.key, said))
		}
		beside := strings.Fields(k.beside)
		if l.has(k.key) && len(beside) > 0 && !slices.ContainsFunc(beside, l.has) {
			l.refuse("%s%s of %s says nothing without %s%s: add that tag, or take this one off", tagPrefix, k.key, l.said[k.key][0].by[0], tagPrefix, strings.Join(beside, " or "+tagPrefix))
		}
	}
	over := l.has("array") || l.has("lvm")
	for key, needed := range map[string]bool{"count": over, "level": l.has("array"), "size": l.has("lvm"), "type": l.has("mount")} {
		if needed && !l.has(key) {
			l.refuse("%s%s is missing on %s: nobody else says it", tagPrefix, key, strings.Join(l.members, ", "))
		}
	}
	switch {
	case !over && len(l.members) > 1:
		l.refuse("%s all have the tag %smount=%s, and no %sarray makes one of them", strings.Join(l.members, ", "), tagPrefix, l.text("mount"), tagPrefix)
	case !over && l.has("count") && l.text("count") != "1":
		l.refuse("%scount of %s is %s, and without %sarray or %slvm there is one volume", tagPrefix, l.members[0], cite.Quote(l.text("count")), tagPrefix, tagPrefix)
	}
	slices.Sort(l.wrong)
}
