package storage

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// drawer draws a case: a profile, how far it was brought by whom, and what has
// come over the volumes since.
type drawer struct {
	*model
	t     *rapid.T
	whose string // "ours", "unnoted": ours, and nobody saw it whole; "theirs"; "stale": theirs, where ours was once; "half stale"
	array string // UUID of the drawn array; "" for none
}

func (d *drawer) chance(percent int, what string) bool {
	return rapid.IntRange(1, 100).Draw(d.t, what) > 100-percent
}

func oneOf[T any](d *drawer, what string, of ...T) T { return rapid.SampledFrom(of).Draw(d.t, what) }

func drawModel(t *testing.T, rt *rapid.T, root string) *model {
	ids := []string{"vol-0000000a", "vol-0000000b", "vol-0000000c", "vol-0000000d", "vol-0000000e"}
	d := &drawer{t: rt}
	scratch := d.chance(20, "instance store")
	if scratch {
		ids = []string{"AWS0000A", "AWS0000B", "AWS0000C", "AWS0000D", "AWS0000E"}
	}
	ids = ids[:rapid.IntRange(1, len(ids)).Draw(rt, "volumes")]
	d.model = &model{world: worldIn(t, root, ids...), ids: ids, areas: map[string]*area{}, notes: map[string][]intent{}}
	d.storage = Common{Folder: storage.Folder, Witnessed: map[string]bool{}, Snapshot: map[string]bool{}, Grow: d.chance(80, "grow")}
	if scratch {
		d.storage.Scratch = map[string]bool{}
		for _, id := range ids {
			d.storage.Scratch[id] = true
		}
	}
	for _, p := range []string{"mkfs.xfs", "mkfs.ext4", "mkswap", "wipefs"} {
		d.Put("/usr/sbin/"+p, "", 0o755)
	}
	d.Put(storage.Folder+"/intents/", "", 0)
	d.OnLaunch(d.launch)
	d.Answer(d.answer)
	d.profile()
	for _, chain := range d.chains {
		d.whose = oneOf(d, "whose", "ours", "ours", "unnoted", "theirs", "stale", "half stale")
		d.history(chain)
	}
	for _, id := range ids {
		if d.chance(10, "something came over it") {
			d.comeOver(id)
		}
	}
	d.enlargeSome()
	if d.chance(8, "lost") {
		d.lose(d.chains[0])
	}
	if scratch && d.chance(30, "stopped") {
		d.stop()
	}
	d.start()
	d.beside()
	for id, all := range d.notes {
		text, _ := json.Marshal(intents{Version: 1, Intents: all}) // strings alone
		d.Put(storage.Folder+"/intents/"+id+".json", string(text), 0o600)
	}
	return d.model
}

// profile draws what is wanted of the volumes.
func (d *drawer) profile() {
	create := func() Consent {
		return oneOf(d, "create", CreateIfBlank, CreateIfBlank, CreateIfBlank, CreateIfBlank, CreateIfBlank, CreateNever, "")
	}
	degraded := oneOf(d, "degraded", DegradedReadOnly, DegradedStart, DegradedRefuse)
	fs := func(on Device) plan.Resource {
		return FileSystem{Common: d.storage, On: on, Type: oneOf(d, "type", "xfs", "ext4", "swap"), Create: create()}
	}
	var on []Device
	for _, id := range d.ids {
		on = append(on, Volume{id})
	}
	layout := oneOf(d, "layout", "volumes", "array", "group", "group", "array and group")
	if layout == "volumes" || len(on) < 2 && layout != "group" {
		for _, v := range on {
			d.chains = append(d.chains, []plan.Resource{fs(v)})
		}
		return
	}
	var chain []plan.Resource
	if layout != "group" {
		n := len(on)
		level := slices.DeleteFunc([]int{0, 1, 10, 5, 6}, func(l int) bool { return n < map[int]int{5: 3, 6: 4}[l] })
		a := MDArray{Common: d.storage, Name: "data", Level: oneOf(d, "level", level...), Over: d.ids, Count: n, Create: create(), Degraded: degraded}
		chain, on = append(chain, a), []Device{a}
	}
	if layout != "array" {
		g := VolumeGroup{Common: d.storage, Name: "db", Over: on, Create: create(), Degraded: degraded}
		l := LogicalVolume{Group: g, Name: "mysql", Percent: 50, Create: create()}
		chain, on = append(chain, g, l), []Device{l}
	}
	d.chains = [][]plan.Resource{append(chain, fs(on[0]))}
}

// start is what the kernel has made of it by the time of the pass.
func (d *drawer) start() {
	var members []string
	count := 0
	for _, id := range d.ids {
		if m, there := d.super[d.disks[id]]; there && d.array != "" && sameUUID(m.UUID, d.array) {
			members, count = append(members, d.disks[id]), m.Devices
		}
	}
	state := oneOf(d, "the array is", "", "", "clean", "read-auto", "inactive")
	switch {
	case len(members) == 0 || state == "":
		return
	case len(members) == count && state == "inactive": // whole, it would be waited for
		return
	case len(members) < count:
		state = "inactive"
	}
	d.assembled("md125", state, members...)
	d.activate()
}

// activate is what LVM starts by itself.
func (d *drawer) activate() {
	var nodes []string
	for _, k := range slices.Sorted(maps.Keys(d.pvs)) {
		nodes = append(nodes, "/dev/"+k)
	}
	if _, missing, _ := d.members("db", nodes); d.lvs["db/mysql"] != nil && missing == 0 && d.chance(40, "active") {
		d.lvChange([]string{"--devices", strings.Join(nodes, ","), "db/mysql"})
	}
}

// beside is what is known of the volumes beside themselves, what the pass may do,
// and where it breaks off.
func (d *drawer) beside() {
	middle := false
	for _, a := range d.areas {
		middle = middle || a.middle
	}
	for _, id := range d.ids {
		// A witness of a volume that holds something is a liar.
		if a := d.at(d.disks[id]); !middle && a.owner != taken && d.chance(30, "witnessed") {
			d.storage.Witnessed[id] = true
		}
		if !d.storage.Scratch[id] && d.chance(2, "snapshot") {
			d.storage.Snapshot[id] = true
		}
	}
	d.most = oneOf(d, "most", plan.Destroys, plan.Destroys, plan.Destroys, plan.Destroys, plan.Disrupts, plan.Safe)
	d.grant.IfBlank = d.chance(85, "if blank")
	if len(d.storage.Scratch) > 0 {
		d.grant.IfBlank = d.chance(30, "if blank")
		d.grant.Scratch = d.ids[:rapid.SampledFrom([]int{len(d.ids), len(d.ids), len(d.ids) - 1, 0}).Draw(d.t, "of scratch")]
	}
	switch oneOf(d, "named", "none", "none", "all", "some") {
	case "all":
		d.grant.Volumes = slices.Clone(d.ids)
	case "some":
		d.grant.Volumes = d.ids[:rapid.IntRange(0, len(d.ids)-1).Draw(d.t, "of them")]
	}
	d.meanwhile = d.chance(10, "meanwhile")
	if d.chance(40, "breaks") {
		d.breaks = rapid.IntRange(1, 4).Draw(d.t, "at tool")
		d.how = oneOf(d, "how", "fails", "nothing", "half", "whole")
		d.torn = d.chance(50, "torn")
	}
}

// halves are the intents that are not ended: volume and step.
func (m *model) halves() (all []string) {
	h := m.Host()
	for _, id := range m.ids {
		i, err := h.ReadFile(m.storage.Folder + "/intents/" + id + ".json")
		if err != nil {
			continue // none
		}
		var f intents
		if err := json.Unmarshal(i, &f); err != nil {
			m.fault("the intents of %s: %v", id, err)
		}
		for _, i := range f.Intents {
			if i.half() {
				all = append(all, id+" "+i.For)
			}
		}
	}
	return all
}

// powerCut starts the machine anew after one.
func (m *model) powerCut() {
	m.reboot()
	for _, r := range slices.Concat(m.chains...) {
		m.SetTask(toolUnit(r.ID()), host.TaskState{})
		m.SetTask(toolUnit("grow:"+r.ID()), host.TaskState{})
	}
}

// describe is the case, for a person who looks into a failure.
func (m *model) describe() string {
	var b strings.Builder
	for _, r := range slices.Concat(m.chains...) {
		create, _, _ := createOf(r)
		fmt.Fprintf(&b, "%s (create %q): %s", r.ID(), create, r.(plan.Describer).Describe())
	}
	for _, id := range slices.Sorted(maps.Keys(m.notes)) {
		fmt.Fprintf(&b, "noted of %s: %+v\n", id, m.notes[id])
	}
	fmt.Fprintf(&b, "may do %s, granted %+v, snapshots %v, witnessed %v, grow %v, sizes %v, tool %d breaks: %s\nran %q\nnow %s",
		m.most, m.grant, m.storage.Snapshot, m.storage.Witnessed, m.storage.Grow, m.sizes, m.breaks, m.how, m.ran, m.state())
	return b.String()
}
