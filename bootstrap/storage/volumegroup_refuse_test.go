package storage

import "reveille/bootstrap/plan"

// groupRefusals are the worlds in which a group is neither made nor started, and
// what is said then.
func groupRefusals() []refusal {
	one := Volume{four[0]}
	two := Volume{four[1]}
	in := func(w *world, id, group string) { w.pvs[w.disks[id]] = &worldPV{uuid: pvUUID(newUUID()), group: group} }
	group := func(f func(*VolumeGroup)) []plan.Resource {
		g := groupOn(one, two)
		f(&g)
		return []plan.Resource{g}
	}
	plain := group(func(*VolumeGroup) {})
	never := mysqlOn(one, two)
	never.Create = ""
	return []refusal{
		{"create is never", nil, group(func(g *VolumeGroup) { g.Create = "" }), []string{"no group db", "create is never", four[0]}},
		{"not blank", func(w *world) { w.holds[w.disks[four[1]]] = "ext4" }, plain, []string{four[1], "ext4"}},
		{"another group", func(w *world) { in(w, four[1], "db2") }, plain, []string{four[1], "belongs to the group db2"}},
		{"a physical volume of nobody's", func(w *world) { in(w, four[1], "") }, plain, []string{four[1], "of no group"}},
		{"one is no part of it", func(w *world) { in(w, four[0], "db") }, plain, []string{"the group db is there", four[1] + " is no part of it"}},
		{"one is no part of it, where ours was cut short", func(w *world) {
			in(w, four[0], "db")
			w.intended(w.t, "lvm:db", false, four[0])
			w.intended(w.t, "lvm:db", false, four[1])
		}, plain, []string{"its creation began at", four[0] + " is a physical volume", "of a group of that name that is not it"}},
		{"a copy beside its origin", func(w *world) { in(w, four[0], "db"); w.copied = "/dev/nvme2n1" }, plain, []string{"volume " + four[1] + " says that it is the same physical volume", "one is a copy"}},
		{"it has others besides", func(w *world) { in(w, four[0], "db"); in(w, four[1], "db"); in(w, four[2], "db") }, plain, []string{"lacks 1 devices", "others besides"}},
		{"one is missing", func(w *world) { w.detach(four[1]) }, plain, []string{four[1], "none is created"}},
		{"degraded is refuse", func(w *world) { in(w, four[0], "db"); in(w, four[1], "db"); w.detach(four[1]) },
			group(func(g *VolumeGroup) { g.Degraded = DegradedRefuse }), []string{four[1], "degraded is refuse"}},
		{"all are missing", func(w *world) { w.detach(four[0]); w.detach(four[1]) }, plain, []string{"none of its devices is there"}},
		{"a group of another machine has no such volume", func(w *world) {
			in(w, four[0], "db")
			in(w, four[1], "db")
			w.lvs["db/mysql2"] = &worldLV{size: worldExtent}
		}, []plan.Resource{mysqlOn(one, two)}, []string{"no volume mysql, but mysql2", "not made that group"}},
		{"a group of another machine, where there was one of ours", func(w *world) {
			in(w, four[0], "db")
			w.intended(w.t, "lvm:db", true, four[0])
		}, []plan.Resource{mysqlOn(one)}, []string{"no volume mysql", "not made that group"}},
		{"no volume, and create is never", func(w *world) { in(w, four[0], "db"); in(w, four[1], "db") }, []plan.Resource{never}, []string{"no volume mysql", "create is never"}},
		{"cut short, and something is there since", func(w *world) {
			w.begun("lvm:db", four[1])
			w.dirty[w.disks[four[1]]] = "data at byte 4096"
		}, plain, []string{four[1], "data at byte 4096 was found", "may be somebody's since", "--allow-create " + four[1]}},
		{"cut short, and a group of that name came with another volume", func(w *world) {
			w.begun("lvm:db", four[1])
			in(w, four[0], "db")
		}, plain, []string{"its creation began at", "volume " + four[0] + " is a physical volume", "a group of that name that is not it", "/intents"}},
		{"cut short, and all are in a group of that name since", func(w *world) {
			w.begun("lvm:db", four[1])
			in(w, four[0], "db")
			in(w, four[1], "db")
		}, []plan.Resource{mysqlOn(one, two)}, []string{"volume " + four[0] + " is a physical volume", "volume " + four[1] + " is a physical volume"}},
		{"no group for the volume", nil, []plan.Resource{mysqlOn(one, two)}, []string{"there is no group db"}},
	}
}
