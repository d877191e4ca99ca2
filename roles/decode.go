package roles

import (
	"fmt"
	"strings"

	"reveille/roles/cite"
)

// decoder walks a document by the schema and gathers what it says, and every
// mistake in it.
type decoder struct {
	layer  Layer
	leaves []leaf
	errs   Errors
	seen   map[string]cite.Place // values set so far in this document
}

// decodeYAML reads one YAML document of a layer.
func decodeYAML(layer Layer, file string, data []byte) ([]leaf, Errors) {
	root, errs := parseDocument(file, data)
	if len(errs) > 0 {
		return nil, errs
	}
	return decodeTree(layer, root)
}

// decodeTree reads a whole profile that stands at a place of a document.
func decodeTree(layer Layer, root *docNode) ([]leaf, Errors) {
	d := decoder{layer: layer, seen: map[string]cite.Place{}}
	if root.shape != isMap {
		d.fail(root.at, "a profile is keys and values, such as role: mysql, not %s", root.shape)
	} else {
		d.section(profileSchema(), "", root)
	}
	return d.leaves, d.errs
}

func (d *decoder) fail(at cite.Place, format string, args ...any) {
	d.errs = append(d.errs, errorAt(at, format, args...))
}

// section reads a map by the keys that it may have.
func (d *decoder) section(k *schemaKey, path string, n *docNode) {
	first := map[string]cite.Place{}
	if path != "" {
		d.leaves = append(d.leaves, leaf{path: path, key: k, layer: d.layer, open: true, at: n.at})
	}
	if k.least > len(n.pairs) {
		d.fail(n.at, "%s is empty: give it a key or leave it out", path)
	}
	if k.section() && k.most > 0 && len(n.pairs) > k.most {
		d.fail(n.pairs[k.most].key.at, "%s has %d keys, %d at most: take some out", path, len(n.pairs), k.most)
		return
	}
	for _, p := range n.pairs {
		name := p.key.text
		if at, twice := first[name]; twice {
			d.fail(p.key.at, "%s is here twice, first at line %d: take one out", cite.Quote(joinKey(path, name)), at.Line)
			continue
		}
		first[name] = p.key.at
		child := k.child(name)
		if child == nil {
			d.fail(p.key.at, "%s", k.noSuchKey(path, name))
			continue
		}
		d.key(child, joinKey(path, name), p)
	}
}

// key reads one entry of a map: its name is known, its value is not yet.
func (d *decoder) key(k *schemaKey, path string, p docPair) {
	if !d.allowed(k, path, p.key.at) {
		return
	}
	if k.short != "" {
		path = k.short
	}
	n := p.value
	switch {
	case n.shape == isNull:
		d.add(leaf{path: path, key: k, null: true, at: p.key.at})
	case k.section() && n.shape == isMap, k.place && n.shape == isMap:
		d.section(k, path, n)
	case k.section() && k.brief != "" && n.shape != isList:
		d.key(k.child(k.brief), joinKey(path, k.brief), p)
	case k.section():
		d.fail(n.at, "%s is a section: keys and values are wanted below it, not %s", path, n.shape)
	case k.list && n.shape == isList:
		d.list(k, path, p)
	case k.list && !k.one:
		d.fail(n.at, "%s is a list: write [%s] or one entry a line after a -, not %s", path, example(n), n.shape)
	default:
		if text, ok := d.scalar(k, path, n); ok {
			v := leafValue{text: text}
			if k.one {
				v = leafValue{list: true, items: []leafItem{{text: text, at: n.at}}}
			}
			d.add(leaf{path: path, key: k, value: v, at: p.key.at})
		}
	}
}

// example is a scalar as an entry of a list, to show how it would be written.
func example(n *docNode) string {
	if n.shape == isMap || n.text == "" || len(n.text) > 40 {
		return "…"
	}
	return n.text
}

// allowed says whether this layer may set the key in this version.
func (d *decoder) allowed(k *schemaKey, path string, at cite.Place) bool {
	switch {
	case k.never != "":
		d.fail(at, "%s: %s", path, k.never)
	case !k.takes(d.layer) && len(k.only) == 1 && k.only[0] == RoleFile:
		d.fail(at, "%s belongs in a role file alone: take it out of the %s", path, d.layer)
	case !k.takes(d.layer) && len(k.only) == 1:
		d.fail(at, "%s belongs in the local file alone, which only this machine's administrator writes: take it out of the %s", path, d.layer)
	case !k.takes(d.layer):
		d.fail(at, "%s may not be set by %s", path, d.layer)
	default:
		return true
	}
	return false
}

func (d *decoder) list(k *schemaKey, path string, p docPair) {
	v, good := leafValue{list: true}, true
	for i, item := range p.value.items {
		if k.entry != nil {
			it, ok := d.entry(k, path, item)
			good = good && ok
			v.items = append(v.items, it)
			continue
		}
		text, ok := d.scalar(k.item(i), path, item)
		good = good && ok
		v.items = append(v.items, leafItem{text: text, at: item.at})
	}
	if good && d.count(k, path, p.value.at, v) {
		d.add(leaf{path: path, key: k, value: v, at: p.key.at})
	}
}

// count checks how many entries a list has, and that none stands in it twice.
func (d *decoder) count(k *schemaKey, path string, at cite.Place, v leafValue) bool {
	before := len(d.errs)
	if len(v.items) < k.least {
		d.fail(at, "%s is empty: give it an entry or leave it out", path)
	}
	if k.most > 0 && len(v.items) > k.most {
		why := ""
		if k.over != "" {
			why = " " + k.over + ", without a word;"
		}
		d.fail(v.items[k.most].at, "%s has %d entries, %d at most:%s take some out", path, len(v.items), k.most, why)
	}
	first := map[string]bool{}
	for _, it := range v.items {
		if first[it.text] && !k.again {
			d.fail(it.at, "%s holds %s twice: take one out", path, cite.Quote(it.text))
		}
		first[it.text] = true
	}
	return len(d.errs) == before
}

// scalar reads a single value as its key's type wants it.
func (d *decoder) scalar(k *schemaKey, path string, n *docNode) (string, bool) {
	switch want := k.is.shape; {
	case n.shape == want, n.shape == isText && !k.fixed && len(references(n.text)) > 0:
	case n.shape == isNull:
		d.fail(n.at, "%s holds an empty entry: %s is wanted", path, k.is.want)
		return "", false
	case n.shape == isList || n.shape == isMap:
		d.fail(n.at, "%s is %s here: %s is wanted", path, n.shape, k.is.want)
		return "", false
	case want == isText && k.is.check != nil && k.is.check(n.text) != nil:
		d.fail(n.at, "%s: %v", path, k.is.check(n.text))
		return "", false
	case want == isText:
		d.fail(n.at, "%s: %s is %s to YAML: put it in quotes", path, cite.Quote(n.text), n.shape)
		return "", false
	case n.shape == isText && k.is.check(n.text) == nil:
		d.fail(n.at, "%s: %s is text to YAML: leave the quotes out", path, cite.Quote(n.text))
		return "", false
	default:
		d.fail(n.at, "%s: %s is not %s", path, cite.Quote(n.text), k.is.want)
		return "", false
	}
	return n.text, d.text(k, path, n.at, n.text)
}

// text checks a single value's text, by its type or, where names are still to
// be filled in, by their form alone: it is checked again when they are.
func (d *decoder) text(k *schemaKey, path string, at cite.Place, text string) bool {
	err := d.textError(k, text)
	if err != nil {
		d.fail(at, "%s: %v", path, err)
	}
	return err == nil
}

func (d *decoder) textError(k *schemaKey, text string) error {
	switch {
	case k.is.isKey:
		return checkTagKey(text)
	case k.fixed && len(references(text)) > 0:
		return fmt.Errorf("%s: names are not filled in here, since this is read before they are known: write the value out", cite.Quote(text))
	case k.fixed:
		return k.is.check(text)
	}
	if err := checkReferences(text); err != nil {
		return err
	}
	if len(references(text)) > 0 {
		return oneLine(text)
	}
	plain, err := fill(text, nil)
	if err != nil {
		return err
	}
	return k.is.check(plain)
}

// add keeps a value, unless the document has it already under its short name.
func (d *decoder) add(l leaf) {
	l.layer = d.layer
	if at, twice := d.seen[l.path]; twice {
		d.fail(l.at, "%s is set twice, first at %s: take one out", l.path, at)
		return
	}
	d.seen[l.path] = l.at
	d.leaves = append(d.leaves, l)
}

// checkTagKey says whether local.yaml may let tags set a key.
func checkTagKey(name string) error {
	root := profileSchema()
	k := root.find(name)
	switch {
	case name == "" || k == nil:
		return fmt.Errorf("%s%s", cite.Quote(name)+" is no key", meant(name, append(root.paths(""), sectionNames()...)))
	case k.never != "":
		return fmt.Errorf("%s: %s", name, k.never)
	}
	for top := name; ; {
		if k := root.find(top); k != nil && !k.takes(Tags) {
			return fmt.Errorf("%s can never be set by a tag: take it out", name)
		}
		i := strings.LastIndexByte(top, '.')
		if i < 0 {
			return nil
		}
		top = top[:i]
	}
}

func sectionNames() []string {
	var out []string
	for _, k := range profileSchema().keys {
		if k.section() {
			out = append(out, k.name)
		}
	}
	return out
}
