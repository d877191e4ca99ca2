package storage

import (
	"slices"

	"pgregory.net/rapid"

	"reveille/bootstrap/block"
	"reveille/bootstrap/plan"
)

// note draws what the intents say of a step whose work has this UUID.
func (d *drawer) note(step, uuid string, volumes []string, whole bool) {
	i := intent{For: step, Do: intentCreate, UUID: uuid, Volumes: volumes, Began: "2026-01-02T03:04:05Z", Boot: "boot-0"}
	if d.whose == "theirs" {
		return
	}
	if d.whose == "stale" || d.whose == "half stale" {
		i.UUID = newUUID()
	}
	ended := len(volumes) // in the files of so many of them
	switch {
	case d.whose == "half stale", !whole, d.whose == "unnoted":
		ended = 0
	case d.chance(10, "a cut amidst the note"):
		ended = 1
	}
	for n, v := range volumes {
		i.Ended = ""
		if n < ended {
			i.Ended = "2026-01-02T03:04:06Z"
		}
		d.notes[v] = append(d.notes[v], i)
	}
}

// noteAlone notes a step of which nothing is there.
func (d *drawer) noteAlone(r plan.Resource, ended bool) {
	_, volumes, on := createOf(r)
	if _, group := r.(VolumeGroup); !group {
		d.note(r.ID(), newUUID(), volumes, ended)
		return
	}
	for _, o := range on { // each is noted by itself
		d.note(r.ID(), newUUID(), o.Volumes(), ended)
	}
}

// history brings the first of a chain to their end, and one perhaps by half.
func (d *drawer) history(chain []plan.Resource) {
	whole := oneOf(d, "whole", 0, 0, rapid.IntRange(1, len(chain)).Draw(d.t, "resources"))
	for _, r := range chain[:whole] {
		d.made(r)
	}
	d.free = area{}
	if !d.ours && (d.whose == "theirs" || d.whose == "stale") {
		d.free = oneOf(d, "left in the group", area{}, area{owner: taken, head: true}, area{owner: taken, middle: true})
	}
	if whole == len(chain) {
		return
	}
	if (d.whose == "ours" || d.whose == "unnoted") && d.chance(60, "one more by half") {
		d.half(chain[whole])
		return
	}
	if whole > 0 { // and perhaps somebody has put something upon the last
		a := d.top(chain[whole-1])
		*a = oneOf(d, "upon it", *a, area{owner: taken, head: true}, area{owner: taken, fs: "xfs", uuid: vanilla}, area{owner: taken, deep: true})
		if d.whose == "theirs" && d.chance(20, "in the middle") {
			*a = area{owner: taken, middle: true}
		}
	}
	if g, ok := chain[whole].(VolumeGroup); ok && d.chance(15, "a physical volume") {
		k := d.under(g.Over[len(g.Over)-1])
		d.pvs[k] = &worldPV{uuid: pvUUID(newUUID())}
		*d.at(k) = area{owner: taken}
	}
	if d.whose != "theirs" && d.chance(30, "noted, and nothing is there") {
		d.noteAlone(chain[whole], d.chance(50, "ended"))
	}
}

// top is the area that a resource makes room for.
func (d *drawer) top(r plan.Resource) *area {
	switch r.(type) {
	case MDArray:
		return d.at("md")
	case LogicalVolume:
		return d.at("dm-")
	}
	return &area{}
}

// made is a resource that is whole.
func (d *drawer) made(r plan.Resource) {
	switch r := r.(type) {
	case MDArray:
		d.array = mdUUID(newUUID())
		for _, id := range r.Over {
			d.member(id, d.array, level(r), r.Count, 0)
			*d.at(d.disks[id]) = area{owner: taken}
		}
		d.shorten(d.disks[r.Over[r.Count-1]])
		d.note(r.ID(), d.array, r.Over, true)
	case VolumeGroup:
		for _, on := range r.Over {
			uuid := newUUID()
			k := d.under(on)
			d.pvs[k] = &worldPV{uuid: pvUUID(uuid), group: r.Name}
			*d.at(k) = area{owner: taken}
			if d.whose == "unnoted" { // the group may yet be given more devices
				*d.at(k) = area{owner: begun, step: r.ID()}
			}
			d.note(r.ID(), uuid, on.Volumes(), true)
		}
		if len(r.Over) > 1 {
			d.shorten(d.under(r.Over[len(r.Over)-1]))
		}
		d.ours = d.whose == "ours" || d.whose == "unnoted"
	case LogicalVolume:
		d.lvs[r.path()] = &worldLV{size: 4 * worldExtent}
		d.note(r.ID(), newUUID(), r.Volumes(), true)
	case FileSystem:
		uuid := newUUID()
		*d.at(d.under(r.On)) = area{owner: taken, fs: r.Type, uuid: uuid, cut: (d.whose == "theirs" || d.whose == "half stale") && d.chance(40, "cut")}
		d.note(r.ID(), uuid, r.On.Volumes(), true)
	}
}

// shorten lets the last device of somebody's array or group be blank, where there
// is a note of ours that was begun: by that alone it would be ended.
func (d *drawer) shorten(kernel string) {
	if d.whose == "half stale" && d.chance(40, "the last is blank") {
		delete(d.super, kernel)
		delete(d.pvs, kernel)
		*d.at(kernel) = area{}
	}
}

func level(a MDArray) string {
	return map[int]string{0: "raid0", 1: "raid1", 5: "raid5", 6: "raid6", 10: "raid10"}[a.Level]
}

// under is the kernel name by which the model knows a device, there or not.
func (d *drawer) under(on Device) string {
	switch on := on.(type) {
	case Volume:
		return d.disks[on.VolumeID]
	case MDArray:
		return "md127"
	}
	return "dm-1"
}

// half is a resource of ours that a cut has left so.
func (d *drawer) half(r plan.Resource) {
	uuid := newUUID()
	_, volumes, on := createOf(r)
	part := oneOf(d, "so much of it", len(on), len(on)/2, (len(on)+1)/2, 0)
	ours := func(a *area) { *a = area{owner: begun, step: r.ID()} }
	switch r := r.(type) {
	case MDArray:
		d.array = mdUUID(uuid)
		for _, id := range r.Over[:min(part, r.Count-1)] {
			d.member(id, d.array, level(r), r.Count, 0)
			ours(d.at(d.disks[id]))
		}
		d.note(r.ID(), uuid, volumes, false)
	case VolumeGroup:
		in := oneOf(d, "in the group", 0, part/2, (part+1)/2, part)
		for n, o := range on[:part] {
			uuid := newUUID()
			k := d.under(o)
			d.pvs[k] = &worldPV{uuid: pvUUID(uuid)}
			if n < in && in < len(on) {
				d.pvs[k].group = r.Name
			}
			ours(d.at(k))
			d.note(r.ID(), uuid, o.Volumes(), false)
		}
		if part < len(on) && d.chance(50, "noted") {
			d.note(r.ID(), newUUID(), on[part].Volumes(), false)
			if a := d.at(d.under(on[part])); d.chance(50, "with bytes") {
				ours(a)
				a.head = true
			}
		}
	case LogicalVolume:
		d.note(r.ID(), uuid, volumes, false)
	case FileSystem:
		a := d.at(d.under(r.On))
		ours(a)
		switch oneOf(d, "a half file system is", "nothing", "bytes", "recognised") {
		case "bytes":
			a.head = true
			a.owner = oneOf(d, "whose bytes", begun, taken) // nobody can tell
		case "recognised":
			a.fs, a.uuid, a.cut, a.head = r.Type, uuid, r.Type != "swap", true
		}
		if a.fs == "swap" { // it is whole: its signature comes last
			a.owner = taken
		}
		d.note(r.ID(), uuid, volumes, false)
	}
}

// comeOver lets something happen to a volume.
func (d *drawer) comeOver(id string) {
	k := d.disks[id]
	a := area{owner: taken}
	anew := func() {
		delete(d.super, k)
		delete(d.pvs, k)
		*d.at(k) = a
	}
	switch what := oneOf(d, "what came", "detached", "held", "held", "bytes", "middle", "deep", "xfs", "ext4", "swap", "crypto_LUKS", "gpt", "md", "other md", "pv", "pv", "noted"); what {
	case "detached":
		d.detach(id)
	case "held":
		d.at(k).held = true
		d.device("dm-9", k)
		d.Put("/sys/devices/dm-9/dm/name", "plain\n", 0o444)
	case "md", "other md":
		anew()
		like := block.Member{UUID: foreignUUID, Name: "data", Level: "raid4", Devices: len(d.ids), Device: mdUUID(newUUID())}
		if r, ok := d.chains[0][0].(MDArray); ok && what == "md" {
			like.Level = level(r)
		}
		d.super[k] = like
	case "pv":
		anew()
		d.pvs[k] = &worldPV{uuid: pvUUID(newUUID()), group: oneOf(d, "group", "", "db", "db2")}
		d.ours = d.ours && d.pvs[k].group != "db"
	case "noted": // of a step with other volumes
		i := intent{For: oneOf(d, "step", "raid:data", "lvm:db", "lvm:db/mysql", "filesystem:raid:data"), Do: intentCreate, UUID: newUUID(), Volumes: []string{id, "vol-0000000f"}}
		i.Ended = oneOf(d, "ended", "", "2026-01-02T03:04:06Z")
		if !slices.ContainsFunc(d.notes[id], func(o intent) bool { return o.For == i.For }) {
			d.notes[id] = append(d.notes[id], i)
		}
	default:
		a.head, a.middle, a.deep = what == "bytes", what == "middle", what == "deep"
		if !a.head && !a.middle && !a.deep {
			a.fs, a.uuid = what, vanilla
		}
		anew()
	}
}

// lose takes all that is recognised away from what was once noted as whole: it
// looks blank, and is not.
func (d *drawer) lose(chain []plan.Resource) {
	for _, r := range slices.Backward(chain) {
		_, volumes, on := createOf(r)
		if d.noted(r.ID(), volumes) != "ended" {
			continue
		}
		if l, ok := r.(LogicalVolume); ok {
			delete(d.lvs, l.path())
			return
		}
		for _, o := range on {
			k := d.under(o)
			delete(d.super, k)
			delete(d.pvs, k)
			*d.at(k) = area{owner: taken}
			if d.storage.gone(o) {
				*d.at(k) = area{}
			}
		}
		return
	}
}

// stop is what becomes of instance store when the instance is stopped: the notes
// of it stay.
func (d *drawer) stop() {
	clear(d.super)
	clear(d.pvs)
	clear(d.lvs)
	clear(d.areas)
	d.free, d.ours, d.array = area{}, false, ""
}
