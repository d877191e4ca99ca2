package roles

import (
	"slices"
	"strings"

	"reveille/roles/cite"
)

// item is the key as it stands for the entry of that place in its list.
func (k *schemaKey) item(i int) *schemaKey {
	if i > 0 || k.first == nil {
		return k
	}
	first := *k
	first.is = k.first
	return &first
}

// entry reads one map of a list of them. Its fields come in the order of the
// schema, so that two that say the same have one text.
func (d *decoder) entry(k *schemaKey, path string, n *docNode) (leafItem, bool) {
	before := len(d.errs)
	if n.shape != isMap {
		d.fail(n.at, "%s: an entry is a key and its value, such as {%s: …}, not %s", path, k.entry[0].name, n.shape)
		return leafItem{}, false
	}
	section := &schemaKey{keys: k.entry}
	found := map[string]leaf{}
	for _, p := range n.pairs {
		name := p.key.text
		child := section.child(name)
		first, twice := found[name]
		switch {
		case child == nil:
			d.fail(p.key.at, "%s", section.noSuchKey(path, name))
		case twice:
			d.fail(p.key.at, "%s is here twice, first at line %d: take one out", cite.Quote(joinKey(path, name)), first.at.Line)
		default:
			found[name] = d.field(child, joinKey(path, name), p)
		}
	}
	it := leafItem{at: n.at}
	for _, c := range k.entry {
		if f, ok := found[c.name]; ok {
			it.fields = append(it.fields, f)
		}
	}
	it.text = entryText(it.fields)
	if len(d.errs) == before {
		d.picked(k, path, it)
		d.needed(k, path, it)
	}
	return it, len(d.errs) == before
}

// field reads one value of an entry by the rules of any other value.
func (d *decoder) field(k *schemaKey, path string, p docPair) leaf {
	own := decoder{layer: d.layer, seen: map[string]cite.Place{}}
	if p.value.shape == isNull {
		own.fail(p.key.at, "%s is empty: give it a value or leave it out", path)
	} else {
		own.key(k, path, p)
	}
	d.errs = append(d.errs, own.errs...)
	if len(own.leaves) == 0 {
		return leaf{path: path, key: k, layer: d.layer, at: p.key.at}
	}
	return own.leaves[0]
}

// needed says which keys an entry is still without.
func (d *decoder) needed(k *schemaKey, path string, it leafItem) {
	for _, c := range k.entry {
		if c.need && !it.has(c.name) {
			d.fail(it.at, "%s: this entry has no %s: it needs %s", path, c.name, needed(&schemaKey{keys: k.entry}))
		}
	}
}

// has says whether the entry says anything of a key.
func (it leafItem) has(name string) bool {
	return slices.ContainsFunc(it.fields, func(f leaf) bool { return f.key.name == name })
}

// picked says whether an entry holds exactly one of the keys that it must
// choose between.
func (d *decoder) picked(k *schemaKey, path string, it leafItem) {
	var all, got []string
	for _, c := range k.entry {
		if c.pick {
			all = append(all, c.name)
		}
	}
	for _, f := range it.fields {
		if f.key.pick {
			got = append(got, f.key.name)
		}
	}
	switch {
	case len(all) == 0:
	case len(got) == 0:
		d.fail(it.at, "%s: this entry asks nothing: give it one of %s", path, strings.Join(all, ", "))
	case len(got) > 1:
		d.fail(it.at, "%s: this entry asks %s: make an entry of each", path, strings.Join(got, " and "))
	}
}

// entryText is an entry as explain prints it.
func entryText(fields []leaf) string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = f.key.name + ": " + f.value.String()
	}
	return "{" + strings.Join(texts, ", ") + "}"
}

// field is what an entry says of a key, or the key's default.
func (it leafItem) field(k *schemaKey, name string) leafValue {
	if i := slices.IndexFunc(it.fields, func(f leaf) bool { return f.key.name == name }); i >= 0 {
		return it.fields[i].value
	}
	if i := slices.IndexFunc(k.entry, func(c *schemaKey) bool { return c.name == name }); i >= 0 {
		return leafValue{text: k.entry[i].def}
	}
	return leafValue{}
}

// fieldAt is where an entry says something of a key, or where it begins.
func (it leafItem) fieldAt(name string) cite.Place {
	if i := slices.IndexFunc(it.fields, func(f leaf) bool { return f.key.name == name }); i >= 0 {
		return it.fields[i].at
	}
	return it.at
}

// texts are the entries of a list.
func (v leafValue) texts() []string {
	var out []string
	for _, it := range v.items {
		out = append(out, it.text)
	}
	return out
}
