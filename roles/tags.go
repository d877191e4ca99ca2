package roles

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"reveille/roles/cite"
)

const tagPrefix = "reveille:"

// tagLayer reads what instance tags may say: the host's name, the role, and
// the keys that the local file allows. Anyone who may tag may steer, so all
// else is passed over, with a note where it was meant for us.
func tagLayer(tags map[string]string, hostnameTag string, may []string) (leaves []leaf, notes []string, errs Errors) {
	d := decoder{layer: Tags, seen: map[string]cite.Place{}}
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	named := false
	for _, tag := range []string{"hostname", hostnameTag} {
		value, ok := tags[tag]
		if !ok || named || tag == "" {
			continue
		}
		if err := checkOwnName(value); err != nil {
			note("tag %s is passed over: %v", tag, err)
			continue
		}
		named = true
		d.add(leaf{path: hostnameKey, key: profileSchema().find(hostnameKey), value: leafValue{text: value}, at: cite.Place{File: "tag " + tag}})
	}
	switch role, ok := tags["role"]; {
	case ok && role == "":
		note("tag role is passed over: it is empty")
	case ok:
		d.add(leaf{path: "role", key: profileSchema().find("role"), value: leafValue{text: role}, at: cite.Place{File: "tag role"}})
	}
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		key, ours := strings.CutPrefix(tag, tagPrefix)
		if !ours {
			continue
		}
		k := profileSchema().find(key)
		switch {
		case key == "pause":
			note("tag %s is set: %s", tag, cite.Quote(tags[tag]))
		case slices.Contains(layoutTags(), key):
			note("tag %s is passed over: it is read from volumes, not from instances", tag)
		case key == "" || k == nil:
			note("tag %s is passed over: %s", tag, noSuchPath(key))
		case !tagMaySet(may, key):
			note("tag %s is passed over: tags_may_set in the local file does not list %s", tag, key)
		default:
			d.pair(key, tags[tag], cite.Place{File: "tag " + tag})
		}
	}
	return d.leaves, notes, d.errs
}

// tagMaySet says whether the local file's list holds a key or its section.
// hostname and identity.hostname are one key.
func tagMaySet(may []string, key string) bool {
	full := func(k string) string {
		if f := profileSchema().find(k); f != nil && f.short != "" {
			return f.short
		}
		return k
	}
	return slices.ContainsFunc(may, func(m string) bool {
		m = full(m)
		return m == full(key) || under(full(key), m)
	})
}
