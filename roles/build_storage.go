package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/storage"
	"reveille/roles/cite"
)

// storage reads the section, and refuses what does not fit together.
func (b *builder) storage(p *Profile) *Storage {
	s := &Storage{Wait: b.seconds("storage.wait"), FromTags: b.flag("storage.from_tags"), Grow: b.text("storage.grow") == "yes"}
	for _, name := range b.m.named("storage.volumes") {
		s.Volumes = append(s.Volumes, b.volumeSet(name))
	}
	for _, name := range b.m.named("storage.raid") {
		s.Arrays = append(s.Arrays, b.array(name))
	}
	for _, name := range b.m.named("storage.lvm") {
		s.Groups = append(s.Groups, b.group(name, s.Arrays))
	}
	for _, it := range b.m.live["storage.mounts"].value.items {
		s.Mounts = append(s.Mounts, b.mount(it))
	}
	for _, it := range b.m.live["storage.swap"].value.items {
		k := b.m.live["storage.swap"].key
		text := func(name string) string { return it.field(k, name).text }
		s.Swaps = append(s.Swaps, SwapArea{From: refOf(text("from")), Label: text("label"), Create: storage.Consent(text("create"))})
	}
	c := storageCheck{builder: b, s: s, used: map[Ref]cite.Place{}}
	c.volumes()
	c.stores()
	c.arrays()
	c.groups()
	c.mounts(p)
	c.swaps()
	return s
}

func (b *builder) volumeSet(name string) VolumeSet {
	at := "storage.volumes." + name
	v := VolumeSet{Name: name, IDs: b.list(at + ".ids"), Count: b.number(at + ".count")}
	for _, tag := range b.m.below(at + ".tags") {
		if v.Tags == nil {
			v.Tags = map[string]string{}
		}
		v.Tags[strings.TrimPrefix(tag, at+".tags.")] = b.text(tag)
	}
	v.Devices = b.attachments(at + ".devices")
	b.chosenBy(at, &v, b.number(at+".instance_store"))
	slices.Sort(v.IDs)
	return v
}

// attachments brings names into their one form, and refuses two for one.
func (b *builder) attachments(path string) []string {
	var out []string
	for _, it := range b.m.live[path].value.items {
		name := attachment(it.text)
		if slices.Contains(out, name) {
			b.errs = append(b.errs, errorAt(it.at, "%s names one attachment twice: %s is %s as well; take one out", path, cite.Quote(it.text), name))
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// chosenBy holds a set to one way of choosing, and says how many there are.
func (b *builder) chosenBy(at string, v *VolumeSet, own int) {
	ways := 0
	for _, n := range []int{len(v.Tags), len(v.IDs), len(v.Devices), own} {
		if n > 0 {
			ways++
		}
	}
	v.Store = own > 0
	listed := len(v.IDs) + len(v.Devices) + own
	switch {
	case ways != 1:
		b.errs = append(b.errs, errorAt(b.m.open[at], "%s has %s of tags, ids, devices and instance_store: give it exactly one of them, which says which volumes it is",
			at, map[bool]string{true: "none", false: "more than one"}[ways == 0]))
	case v.Count == 0 && listed == 0:
		b.errs = append(b.errs, errorAt(b.m.open[at], "%s.count is missing: with tags, nobody else says how many volumes there must be", at))
	case v.Count != 0 && listed != 0 && v.Count != listed:
		b.fail(at+".count", fmt.Sprintf("is %d, and %d are listed: take it out, or list them all", v.Count, listed))
	}
	if v.Count == 0 {
		v.Count = listed
	}
}

func (b *builder) array(name string) Array {
	at := "storage.raid." + name
	return Array{
		Name: name, Level: b.number(at + ".level"), Of: refOf(b.text(at + ".of")).Name,
		Chunk: bytesOf(b.text(at+".chunk")) >> 10, Bitmap: b.text(at + ".bitmap"),
		Create: storage.Consent(b.text(at + ".create")), Degraded: b.text(at + ".degraded"),
	}
}

// group reads a group; what it lies on consents for it, where it says nothing
// itself.
func (b *builder) group(name string, arrays []Array) Group {
	at := "storage.lvm." + name
	g := Group{Name: name, Create: storage.Consent(b.text(at + ".create")), Degraded: b.text(at + ".degraded")}
	inherited := len(b.list(at+".of")) > 0
	for _, ref := range b.list(at + ".of") {
		of := refOf(ref)
		g.Of = append(g.Of, of)
		i := slices.IndexFunc(arrays, func(a Array) bool { return of == Ref{"raid", a.Name} })
		inherited = inherited && i >= 0 && arrays[i].Create == storage.CreateIfBlank
	}
	switch {
	case g.Create != "":
	case inherited:
		g.Create = storage.CreateIfBlank
	default:
		g.Create = storage.CreateNever
	}
	for _, v := range b.m.named(at + ".volumes") {
		size := b.text(at + ".volumes." + v + ".size")
		g.Volumes = append(g.Volumes, LogicalVolume{Name: v, Size: bytesOf(size), Percent: percentOf(size), Stripes: b.number(at + ".volumes." + v + ".stripes")})
	}
	return g
}

func (b *builder) mount(it leafItem) Mount {
	k := b.m.live["storage.mounts"].key
	text := func(name string) string { return it.field(k, name).text }
	return Mount{
		Path: text("path"), From: refOf(text("from")), Type: text("type"), Options: it.field(k, "options").texts(),
		Label: text("label"), Mkfs: it.field(k, "mkfs").texts(), Owner: text("owner"), Group: text("group"), Mode: text("mode"),
		Create: storage.Consent(text("create")),
	}
}

// refOf reads a reference; a bare name is a volume set.
func refOf(text string) Ref {
	kind, name, ok := strings.Cut(text, "/")
	if !ok {
		return Ref{"volumes", text}
	}
	return Ref{kind, name}
}
