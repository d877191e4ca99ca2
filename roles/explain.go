package roles

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Explained is a key's value with all that was said about it.
type Explained struct {
	Key     string    `json:"key"`
	Doc     string    `json:"doc"`
	Set     bool      `json:"set"`     // false: no layer sets it, and it has no default here
	Value   string    `json:"value"`   // after filling in
	Written string    `json:"written"` // as written, where filling in changed it, or it was the tag of a volume
	From    string    `json:"from"`    // "role file /etc/…/mysql.yaml:4", "default"
	Null    string    `json:"null"`    // which layer returned it, or its section, to the default
	Note    string    `json:"note"`    // what else to know: why this role
	Beside  []OverSet `json:"beside"`  // what volumes' tags add to a list of the profile's
	Over    []OverSet `json:"over"`    // what it overrides, strongest first
}

// OverSet is a value that a later layer overrode.
type OverSet struct {
	Value string `json:"value"`
	From  string `json:"from"`
}

// From is where a setting comes from, in words.
func (s Setting) From() string { return origin(s.Layer, s.Name, s.Line) }

// Why is one line on who set a key, for the reason of a step:
// "resolver.nameservers from role file /etc/…/mysql.yaml:4". Of a section it
// names each source that set something in it, with its first line.
func (p Profile) Why(key string) string {
	return p.why(key, func(Setting) bool { return true })
}

// whyOf is of an entry of a list that the profile and volumes' tags share: by
// says which tags asked for it; "" is the profile.
func (p Profile) whyOf(key, by string) string {
	return p.why(key, func(s Setting) bool { return s.Layer == Tags && s.Name == by || s.Layer != Tags && by == "" })
}

func (p Profile) why(key string, counts func(Setting) bool) string {
	if f := profileSchema().find(key); f != nil && f.short != "" {
		key = f.short
	}
	var set []Setting
	byDefault := false
	for _, s := range p.Settings {
		switch {
		case s.Over || !counts(s) || s.Key != key && !under(s.Key, key):
		case s.Layer == Defaults:
			byDefault = true
		default:
			set = append(set, s)
		}
	}
	sort.SliceStable(set, func(i, j int) bool {
		a, b := set[i], set[j]
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Line, b.Line)) < 0
	})
	set = slices.CompactFunc(set, func(a, b Setting) bool { return a.Layer == b.Layer && a.Name == b.Name })
	if len(set) == 0 {
		if byDefault {
			return key + " by default"
		}
		return key + " is set by no layer"
	}
	from := make([]string, len(set))
	for i, s := range set {
		from[i] = s.From()
	}
	return key + " from " + strings.Join(from, ", ")
}

// LaidOut are the settings that tags of volumes have brought, by key.
func (p Profile) LaidOut() []Setting {
	var out []Setting
	for _, s := range p.Settings {
		if s.Layer == Tags && !s.Over && under(s.Key, "storage") {
			out = append(out, s)
		}
	}
	return out
}

// Lookup is what Explain prints, as data: one entry for a key that holds a
// value, one a key for a section, all that is set for "".
func (p Profile) Lookup(key string) ([]Explained, error) {
	k := profileSchema().find(key)
	switch {
	case k == nil:
		return nil, fmt.Errorf("%s", noSuchPath(key))
	case k.never != "":
		return nil, fmt.Errorf("%s: %s", key, k.never)
	case k.short != "":
		key = k.short
	}
	keys := []string{key}
	if k.section() || k.place {
		keys = p.keysBelow(k, key)
	}
	out := make([]Explained, len(keys))
	for i, name := range keys {
		out[i] = p.explained(name)
	}
	if key == "" {
		out = slices.DeleteFunc(out, func(e Explained) bool { return !e.Set })
	}
	return out, nil
}

// keysBelow lists the keys of a section: all that the schema has, and those
// with free names that are set.
func (p Profile) keysBelow(k *schemaKey, section string) []string {
	var keys []string
	if k.section() && k.any == nil {
		keys = k.paths(section)
	}
	for _, s := range p.Settings {
		if (section == "" || s.Key == section || under(s.Key, section)) && !slices.Contains(keys, s.Key) {
			keys = append(keys, s.Key)
		}
	}
	// A list by place stands for the key itself, which then has no value.
	keys = slices.DeleteFunc(keys, func(name string) bool {
		return !p.explained(name).Set && slices.ContainsFunc(keys, func(other string) bool { return under(other, name) })
	})
	if len(keys) == 0 {
		keys = []string{section}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (p Profile) explained(key string) Explained {
	e := Explained{Key: key, Beside: []OverSet{}, Over: []OverSet{}}
	if k := profileSchema().find(key); k != nil {
		e.Doc = k.doc
	}
	var all []Setting
	for _, s := range p.Settings {
		switch {
		case s.Null && !s.Over && (s.Key == key || under(key, s.Key)):
			e.Null = s.From()
		case s.Key == key && !(key == "role" && s.Layer == RoleFile && s.Over): // a role's own name is no wish
			all = append(all, s)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[j].Layer < all[i].Layer })
	for _, s := range all {
		switch {
		case !s.Over && e.Set:
			e.Beside = append(e.Beside, OverSet{s.Value, s.From()})
		case !s.Over:
			e.Set, e.Value, e.Written, e.From = true, s.Value, s.Written, s.From()
		default:
			e.Over = append(e.Over, OverSet{s.Value, s.From()})
		}
	}
	if key == "role" {
		e.Set, e.Value, e.Note = p.Role != "", p.Role, p.Chosen
		if !e.Set {
			e.From = ""
		}
	}
	return e
}

// Explain says in words what a key's value is, who set it and what was
// overridden; of a section, of every key in it; of "", of all that is set. The
// error names the nearest key where there is none of that name.
func (p Profile) Explain(key string) (string, error) {
	all, err := p.Lookup(key)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, e := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		e.write(&b)
	}
	return b.String(), nil
}

func (e Explained) write(b *strings.Builder) {
	line := func(label, text string) { fmt.Fprintf(b, "  %-10s %s\n", label, text) }
	if e.Set {
		fmt.Fprintf(b, "%s = %s\n", e.Key, e.Value)
	} else {
		fmt.Fprintf(b, "%s is not set\n", e.Key)
	}
	if e.Doc != "" {
		line("what", e.Doc)
	}
	if e.From != "" {
		line("set by", e.From)
	}
	if e.Null != "" {
		line("null by", e.Null)
	}
	if e.Written != "" {
		line("written", e.Written)
	}
	if e.Note != "" {
		line("chosen", e.Note)
	}
	for _, o := range e.Beside {
		line("beside", fmt.Sprintf("%s from %s", o.Value, o.From))
	}
	for i, o := range e.Over {
		label := "overrides"
		if i > 0 {
			label = ""
		}
		line(label, fmt.Sprintf("%s from %s", o.Value, o.From))
	}
}
