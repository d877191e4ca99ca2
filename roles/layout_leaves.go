package roles

import (
	"slices"
	"strings"

	"reveille/roles/cite"
)

// layoutReader writes a layout as the profile would: what may be said, and what
// fits together, is then decided by the same rules.
type layoutReader struct {
	*layout
	leaves  []leaf
	written map[string]string // by key: the tags that say its value
}

// readLayout is a layout as a document's leaves; none where it is wrong.
func readLayout(l *layout) layoutReader {
	r := layoutReader{layout: l, written: map[string]string{}}
	r.read()
	return r
}

func (r *layoutReader) read() {
	on := "volumes/" + r.members[0]
	if r.has("array") {
		on = r.array()
	}
	switch {
	case len(r.wrong) > 0:
		return
	case r.has("lvm"):
		on = r.group(on)
	case !r.has("array"):
		r.set("storage.volumes."+r.members[0]+".ids", r.members[0], r.use())
	}
	if len(r.wrong) > 0 {
		return
	}
	if r.has("mount") {
		r.entry("storage.mounts", on, map[string]string{"path": "mount", "from": "mount"}, "type", "options", "label", "mkfs", "owner", "group", "mode", "create")
	}
	if r.has("swap") {
		if r.text("swap") != "true" {
			r.refuse("%sswap of %s is %s: true is wanted", tagPrefix, r.said["swap"][0].by[0], cite.Quote(r.text("swap")))
		}
		r.entry("storage.swap", on, map[string]string{"from": "swap"}, "label", "create")
	}
}

// use is the tag that says what a volume by itself is for.
func (l *layout) use() string {
	if l.has("mount") {
		return "mount"
	}
	return "swap"
}

// array asks for the array and for its volumes, and names it.
func (r *layoutReader) array() string {
	name := r.text("array")
	if err := arrayName.check(name); err != nil {
		r.refuse("%sarray of %s: %v", tagPrefix, r.members[0], err)
		return ""
	}
	r.volumes(name, "array")
	r.set("storage.raid."+name+".of", "volumes/"+name, "array")
	r.tags("storage.raid."+name, "level", "chunk", "bitmap", "create", "degraded")
	return "raid/" + name
}

// group asks for the group and its one logical volume, and names that. on is
// what it lies on; without an array, on its volumes.
func (r *layoutReader) group(on string) string {
	group, volume, _ := strings.Cut(r.text("lvm"), "/")
	for _, name := range []string{group, volume} {
		if err := groupName.check(name); err != nil {
			r.refuse("%slvm of %s is %s: GROUP/VOLUME is wanted, and %v", tagPrefix, r.said["lvm"][0].by[0], cite.Quote(r.text("lvm")), err)
			return ""
		}
	}
	if !r.has("array") {
		if err := setName.check(group); err != nil { // its volumes are a set of that name
			r.refuse("%slvm of %s: %v", tagPrefix, r.members[0], err)
			return ""
		}
		r.volumes(group, "lvm")
		on = "volumes/" + group
	}
	at := "storage.lvm." + group
	r.set(at+".of", on, "lvm")
	r.tags(at, "create", "degraded")
	r.tags(at+".volumes."+volume, "size", "stripes")
	return "lvm/" + group + "/" + volume
}

// volumes is the set of those that have a tag, so that one that is missing now
// belongs to it once it is there.
func (r *layoutReader) volumes(name, key string) {
	r.set("storage.volumes."+name+".tags."+tagPrefix+key, r.text(key), key)
	r.tags("storage.volumes."+name, "count")
}

// tags asks for the keys below a path that tags say.
func (r *layoutReader) tags(at string, keys ...string) {
	for _, key := range keys {
		if r.asks(key) {
			r.set(at+"."+key, r.text(key), key)
		}
	}
}

// asks says that a tag counts. One that lets something be created is on every
// volume, or counts for nothing.
func (r *layoutReader) asks(key string) bool {
	return r.has(key) && (key != "create" || r.unwilling() == "")
}

// set asks for a value on the word of a tag.
func (r *layoutReader) set(path, text, tag string) {
	if l, ok := r.leaf(profileSchema().find(path), path, text, r.said[tag][0].by); ok {
		r.leaves = append(r.leaves, l)
		r.written[path] = r.asWritten(tag)
	}
}

func (r *layoutReader) asWritten(tag string) string { return tagPrefix + tag + "=" + r.text(tag) }

// entry asks for an entry of a list: what lies on something, and as the tags
// say. as has the tags of other names than the key's.
func (r *layoutReader) entry(path, on string, as map[string]string, keys ...string) {
	k := profileSchema().find(path)
	it := leafItem{at: cite.Place{File: taggedBy(r.members)}}
	var written []string
	for _, c := range k.entry {
		tag := c.name
		if as[tag] != "" {
			tag = as[tag]
		} else if !slices.Contains(keys, tag) {
			continue
		}
		if r.asks(tag) {
			text := r.text(tag)
			if c.name == "from" {
				text = on
			}
			if l, ok := r.leaf(c, path+"."+c.name, text, r.said[tag][0].by); ok {
				it.fields = append(it.fields, l)
				if w := r.asWritten(tag); !slices.Contains(written, w) {
					written = append(written, w)
				}
			}
		}
		if path == "storage.mounts" && c.name == "options" {
			it.fields = unprivileged(it.fields, c, it.at)
		}
	}
	it.text = entryText(it.fields)
	r.leaves = append(r.leaves, leaf{path: path, key: k, layer: Tags, value: leafValue{list: true, items: []leafItem{it}}, at: it.at})
	r.written[path] = strings.Join(written, " ")
}

// unprivileged adds to a mount's options that nothing on it raises anybody:
// whoever may tag and attach a volume is not the machine's administrator.
func unprivileged(fields []leaf, options *schemaKey, at cite.Place) []leaf {
	l := leaf{path: "storage.mounts.options", key: options, layer: Tags, value: leafValue{list: true}, at: at}
	if n := len(fields); n > 0 && fields[n-1].key == options {
		l, fields = fields[n-1], fields[:n-1]
	}
	for _, o := range []string{"nosuid", "nodev"} {
		if !slices.Contains(l.value.texts(), o) {
			l.value.items = append(l.value.items, leafItem{text: o, at: at})
		}
	}
	return append(fields, l)
}

// leaf is one value, read by its key's type: of a list, words; a comma parts
// them as well, but in the words of mkfs, where it stands within one.
func (r *layoutReader) leaf(k *schemaKey, path, text string, by []string) (leaf, bool) {
	at := cite.Place{File: taggedBy(by)}
	v := leafValue{list: k.list, text: text}
	words := []string{text}
	if k.list {
		words, v.text = strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' && k.name != "mkfs" }), ""
	}
	if len(words) == 0 {
		r.refuse("%s: %s is empty: take the tag off", at.File, path)
		return leaf{}, false
	}
	for _, w := range words {
		err := k.is.check(w)
		if err == nil {
			err = taggable(k, w)
		}
		if err != nil {
			r.refuse("%s: %s: %v", at.File, path, err)
			return leaf{}, false
		}
		if k.list {
			v.items = append(v.items, leafItem{text: w, at: at})
		}
	}
	return leaf{path: path, key: k, layer: Tags, value: v, at: at}, true
}
