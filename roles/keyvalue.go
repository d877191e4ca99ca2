package roles

import (
	"strings"

	"reveille/roles/cite"
)

// decodeKeyValue reads key=value lines. A value is read by its key's type:
// lists split at commas, and nothing needs quotes.
func decodeKeyValue(layer Layer, file string, text string) ([]leaf, Errors) {
	d := decoder{layer: layer, seen: map[string]cite.Place{}}
	if len(text) > maxDocument {
		d.fail(cite.Place{File: file, Line: 1, Column: 1}, "%d bytes is too large: at most %d are read", len(text), maxDocument)
		return nil, d.errs
	}
	if bad := badText(file, []byte(text)); bad != nil {
		return nil, Errors{bad}
	}
	text = strings.TrimPrefix(text, "\ufeff")
	for i, line := range strings.Split(text, "\n") {
		body := strings.TrimSpace(line) // of a CR, too
		if body == "" || strings.HasPrefix(body, "#") {
			continue
		}
		at := cite.Place{File: file, Line: i + 1, Column: 1 + len([]rune(line[:strings.Index(line, body)]))}
		name, value, found := strings.Cut(body, "=")
		if !found {
			d.fail(at, "%s is not key=value", cite.Quote(body))
			continue
		}
		d.pair(strings.TrimSpace(name), strings.TrimSpace(value), at)
	}
	return d.leaves, d.errs
}

// pair reads one key=value, of a line or of a tag.
func (d *decoder) pair(name, value string, at cite.Place) {
	k := profileSchema().find(name)
	if name == "" || k == nil {
		d.fail(at, "%s", noSuchPath(name))
		return
	}
	if !d.allowedPath(name, at) {
		return
	}
	path := name
	if k.short != "" {
		path = k.short
	}
	if k.brief != "" {
		path, k = joinKey(path, k.brief), k.child(k.brief)
	}
	switch {
	case k.section():
		d.fail(at, "%s is a section: name a key in it, such as %s", name, sampleKey(k, name))
	case k.entry != nil:
		d.fail(at, "%s is a list of maps, for which one line has no room: write it in YAML, in user-data that begins with #reveille", name)
	case k.list:
		d.commas(k, path, value, at)
	case value == "":
		d.fail(at, "%s is empty: %s is wanted", path, k.is.want)
	default:
		if d.text(k, path, at, value) {
			d.add(leaf{path: path, key: k, value: leafValue{text: value}, at: at})
		}
	}
}

// allowedPath asks of each section on the way, too, whether the layer may set it.
func (d *decoder) allowedPath(path string, at cite.Place) bool {
	root := profileSchema()
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '.' {
			continue
		}
		if k := root.find(path[:i]); k != nil && !d.allowed(k, path, at) {
			return false
		}
	}
	return true
}

// commas reads a list that stands on one line. An empty value is an empty list.
func (d *decoder) commas(k *schemaKey, path, value string, at cite.Place) {
	v, good := leafValue{list: true}, true
	if value != "" {
		for _, item := range strings.Split(value, ",") {
			item = strings.TrimSpace(item)
			if item == "" {
				d.fail(at, "%s has an empty entry: take a comma out", path)
				return
			}
			good = d.text(k, path, at, item) && good
			v.items = append(v.items, leafItem{text: item, at: at})
		}
	}
	if good && d.count(k, path, at, v) {
		d.add(leaf{path: path, key: k, value: v, at: at})
	}
}

// noSuchPath is the message for a dotted path that the schema does not have:
// it names the first part that is wrong.
func noSuchPath(path string) string {
	k, section, rest := profileSchema(), "", path
	for {
		name, more, _ := strings.Cut(rest, ".")
		c := k.child(name)
		if c == nil || more == "" {
			return k.noSuchKey(section, name)
		}
		if !c.section() && !c.place {
			return cite.Quote(path) + " is no key: " + joinKey(section, name) + " holds a value, so end it there"
		}
		k, section, rest = c, joinKey(section, name), more
		if k.any != nil && !k.any.section() {
			return k.noSuchKey(section, rest)
		}
	}
}

// sampleKey is a key of a section, to show how one is named.
func sampleKey(k *schemaKey, path string) string {
	if k.any != nil {
		return path + ".NAME"
	}
	return joinKey(path, k.keys[0].name)
}
