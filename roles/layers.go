package roles

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"reveille/roles/cite"
)

// leafValue is a value as written: one text, or a list of them.
type leafValue struct {
	list  bool
	text  string
	items []leafItem
}

type leafItem struct {
	text   string
	at     cite.Place
	fields []leaf // of a list of maps: what the entry holds, in the schema's order; text is all of it
}

// String is the value as explain prints it.
func (v leafValue) String() string {
	if !v.list {
		return v.text
	}
	texts := make([]string, len(v.items))
	for i, it := range v.items {
		texts[i] = it.text
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// leaf is one thing that a document says: a key's value, its return to the
// default, or that a section is opened.
type leaf struct {
	path  string
	key   *schemaKey
	layer Layer
	value leafValue
	null  bool
	open  bool
	at    cite.Place
}

// layered is all documents merged, with who set what.
type layered struct {
	live map[string]leaf       // keys that hold a value
	open map[string]cite.Place // sections that are asked for, and by what
	said []Setting             // every value of every layer, in the order of the layers
	from map[string]int        // index in said of the value that holds
}

// mergeLayers lays documents over each other, weakest layer first.
func mergeLayers(docs ...[]leaf) *layered {
	m := &layered{live: map[string]leaf{}, open: map[string]cite.Place{}, from: map[string]int{}}
	all := slices.Concat(docs...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].layer < all[j].layer })
	for _, l := range all {
		m.add(l)
	}
	return m
}

// add lays one leaf over what there is. Maps merge by key; a scalar or a list
// replaces the whole, and is replaced by a map; null takes away what is below.
func (m *layered) add(l leaf) {
	if l.open {
		if _, ok := m.open[l.path]; !ok {
			m.open[l.path] = l.at
		}
		return
	}
	for _, path := range append(m.replaced(l), append(sections(l.path), l.path)...) {
		if i, ok := m.from[path]; ok {
			m.said[i].Over = true
			delete(m.from, path)
			delete(m.live, path)
		}
	}
	value := l.value.String()
	if l.null {
		value = "null"
		for path := range m.open {
			if path == l.path || under(path, l.path) {
				delete(m.open, path)
			}
		}
	} else {
		m.live[l.path] = l
		m.reopen(l)
	}
	m.said = append(m.said, Setting{Key: l.path, Value: value, Null: l.null, Layer: l.layer, Name: l.at.File, Line: l.at.Line})
	m.from[l.path] = len(m.said) - 1
}

// replaced lists the keys below one that holds them all: a section that is
// null, or a list in the place of lists by region and zone.
func (m *layered) replaced(l leaf) []string {
	var out []string
	if l.key.section() || l.key.place {
		for path := range m.from {
			if under(path, l.path) {
				out = append(out, path)
			}
		}
	}
	return out
}

// reopen marks the sections above a value as asked for: a value in user-data
// asks for its section as well as a line in a file does.
func (m *layered) reopen(l leaf) {
	for _, section := range sections(l.path) {
		if _, ok := m.open[section]; !ok {
			m.open[section] = l.at
		}
	}
}

// sections lists the sections above a key, the nearest first.
func sections(path string) []string {
	var out []string
	for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path[:i], '.') {
		out = append(out, path[:i])
	}
	return out
}

// below lists the live keys at or under a path, sorted; all of them under "".
func (m *layered) below(path string) []string {
	var out []string
	for p := range m.live {
		if path == "" || p == path || under(p, path) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// finish adds the defaults of the sections that are asked for, and tells what
// those sections still need.
func (m *layered) finish() Errors {
	var errs Errors
	m.finishSection(profileSchema(), "", &errs)
	return errs
}

func (m *layered) finishSection(s *schemaKey, section string, errs *Errors) {
	if s.any != nil && s.any.section() {
		names := m.named(section)
		if s.most > 0 && len(names) > s.most { // by lines of user-data, or of several layers together
			*errs = append(*errs, errorAt(m.open[section], "%s has %d keys, %d at most: take some out", section, len(names), s.most))
			return
		}
		for _, name := range names {
			m.finishSection(s.any, joinKey(section, name), errs)
		}
	}
	for _, k := range s.keys {
		path := joinKey(section, k.name)
		_, asked := m.open[path]
		switch {
		case k.short != "" || k.never != "":
		case k.section() && (asked || section != ""):
			m.finishSection(k, path, errs)
		case k.section() || len(m.below(path)) > 0 && k.def == "":
		case k.def != "":
			m.addDefault(k, path)
		case k.need:
			*errs = append(*errs, errorAt(m.open[section], "%s is missing: %s section needs %s", path, article(section), needed(s)))
		}
	}
}

// named lists the free names that are asked for in a section, sorted.
func (m *layered) named(section string) []string {
	var out []string
	for path := range m.open {
		if under(path, section) {
			name, _, _ := strings.Cut(path[len(section)+1:], ".")
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// addDefault records a default, as overridden where a layer says otherwise.
func (m *layered) addDefault(k *schemaKey, path string) {
	_, over := m.live[path]
	if !over {
		m.live[path] = leaf{path: path, key: k, layer: Defaults, value: leafValue{text: k.def}, at: cite.Place{File: "defaults"}}
	}
	m.said = append(m.said, Setting{Key: path, Value: k.def, Layer: Defaults, Over: over})
}

// article is a section's name with a or an before it.
func article(section string) string {
	if strings.IndexByte("aeiou", section[0]) >= 0 {
		return "an " + section
	}
	return "a " + section
}

// needed lists in words the keys that a section cannot be without.
func needed(s *schemaKey) string {
	var names []string
	for _, k := range s.keys {
		if k.need {
			names = append(names, k.name)
		}
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// settings is the record for the Profile: by key, weakest layer first.
func (m *layered) settings() []Setting {
	out := slices.Clone(m.said)
	sortSettings(out)
	return out
}

func sortSettings(all []Setting) {
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Layer, b.Layer)) < 0
	})
}
