package storage

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// grown are an array, its group and a volume of that, and what makes each as large
// as what it lies upon.
func grown() (layers, growths []plan.Resource) {
	a := raid10()
	a.Grow = true
	g := VolumeGroup{Common: a.Common, Name: "db", Over: []Device{a}, Create: CreateIfBlank}
	l := LogicalVolume{Group: g, Name: "mysql", Percent: 50, Create: CreateIfBlank}
	return []plan.Resource{a, g, l}, []plan.Resource{Growth{a}, Growth{g}, Growth{l}}
}

// enlarged is a world in which all of these lie on volumes that were enlarged
// since.
func enlarged(t *testing.T) *world {
	w := newWorld(t, four...)
	layers, _ := grown()
	if err := onePass(w.Host(), plan.Destroys, layers...); err != nil {
		t.Fatal(err)
	}
	for _, id := range four {
		w.enlarge(id, 3*worldDisk)
	}
	w.ran = nil
	return w
}

func TestGrowth(t *testing.T) {
	w := enlarged(t)
	layers, growths := grown()
	for _, most := range []plan.Risk{plan.Safe, plan.Disrupts, plan.Disrupts} {
		err := onePass(w.Host(), most, slices.Concat(layers, growths)...)
		if (err != nil) != (most == plan.Safe) {
			t.Fatalf("a pass that may do %s: %v", most, err)
		}
		if most == plan.Safe && (!strings.Contains(err.Error(), "it leaves 2 GiB of each of its volumes (vol-0000000a, ") || len(w.ran) > 0) {
			t.Errorf("%v; ran %q", err, w.ran)
		}
		wantNotes(t, w, layers[0].(plan.Noter)) // its growth says so
	}
	want := []string{"mdadm --grow /dev/md127 --size=max", "pvresize --devices /dev/md127 /dev/md127",
		"lvextend --devices /dev/md127 --size 1606418432b db/mysql"}
	if !slices.Equal(w.ran, want) {
		t.Errorf("ran %q, want %q", w.ran, want)
	}
	for _, r := range slices.Concat(layers, growths) {
		if notes := r.(interface{ Notes(*host.Host) []string }); len(notes.Notes(w.Host())) > 0 {
			t.Errorf("%s has something to say: %q", r.ID(), notes.Notes(w.Host()))
		}
	}
}

// Without the profile's word nothing grows, and a note says what could and how.
func TestUngrown(t *testing.T) {
	w := enlarged(t)
	for _, r := range []plan.Resource{raid10(), groupOn(raid10()), mysqlOn(raid10())} {
		isSo(t, w.Host(), r)
	}
	wantNotes(t, w, raid10(), "raid:data: it leaves 2 GiB of each of its volumes (vol-0000000a, vol-0000000b, vol-0000000c, vol-0000000d) unused, and is left as it is: "+
		"set storage: {grow: yes} and `systemctl reload reveille`, or `mdadm --grow /dev/md127 --size=max`")
	a := raid10()
	a.Grow = true
	if err := onePass(w.Host(), plan.Disrupts, Growth{a}); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, w, groupOn(raid10()), "lvm:db, which uses 1 GiB of 3 GiB on raid:data (on vol-0000000a, vol-0000000b, vol-0000000c, vol-0000000d), and is left as it is: "+
		"set storage: {grow: yes} and `systemctl reload reveille`, or `pvresize --devices /dev/md127 /dev/md127`")
	g := groupOn(a)
	g.Grow = true
	if err := onePass(w.Host(), plan.Disrupts, Growth{g}); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, w, mysqlOn(raid10()), "lvm:db/mysql has 532676608 bytes, and the profile's 50% of the group are 1606418432; it is left as it is: "+
		"set storage: {grow: yes} and `systemctl reload reveille`, or lvextend it")
}

func wantNotes(t *testing.T, w *world, r plan.Noter, want ...string) {
	t.Helper()
	if got := r.Notes(w.Host()); !slices.Equal(got, want) {
		t.Errorf("notes are\n%q, want\n%q", got, want)
	}
}

// What cannot grow is said and not tried: as a note where it is nobody's fault,
// and as a reason why it is not so where somebody should see to it.
func TestWhatCannotGrow(t *testing.T) {
	array := func(file, text string) func(*world) {
		return func(w *world) { w.Put("/sys/devices/md127/"+file, text, 0o444) }
	}
	for name, c := range map[string]struct {
		level int
		is    func(*world)
		fault bool
		say   string
	}{
		"a raid0":              {0, func(w *world) {}, false, "larger than what it uses: a raid0 keeps the size that it was made with"},
		"a raid10 far":         {10, array("md/layout", "513\n"), false, "a raid10 of the layout far keeps the size"},
		"old superblocks":      {10, array("md/metadata_version", "1.0\n"), false, "superblocks (version 1.0) lie where its volumes ended before"},
		"a resync":             {10, array("md/sync_action", "resync\n"), false, "it can grow once it is not busy any more (resync)"},
		"one volume is behind": {10, func(w *world) { w.enlarge(four[2], worldDisk) }, false, "it can grow once vol-0000000c is as large"},
		"a degraded one": {10, func(w *world) {
			w.reboot()
			w.detach(four[2])
			w.assembled("md127", "clean", w.disks[four[0]], w.disks[four[1]], w.disks[four[3]])
		}, true, "it is not made larger: it is degraded: bring its members back first"},
		"one that is read-only": {10, func(w *world) {
			w.arrays["md127"].state = "readonly"
			w.show("md127")
		}, true, "it lies on what may not be written to"},
	} {
		t.Run(name, func(t *testing.T) {
			a := raid10()
			a.Grow, a.Level = true, c.level
			w := newWorld(t, four...)
			if err := onePass(w.Host(), plan.Destroys, a); err != nil {
				t.Fatal(err)
			}
			for _, id := range four {
				w.enlarge(id, 3*worldDisk)
			}
			c.is(w)
			w.ran = nil
			err := onePass(w.Host(), plan.Disrupts, Growth{a})
			said := strings.Join(Growth{a}.Notes(w.Host()), "\n")
			if c.fault != (err != nil) || c.fault != (said == "") {
				t.Errorf("error %v, notes %q; a fault: %v", err, said, c.fault)
			}
			if err != nil {
				said = err.Error()
			}
			if !strings.Contains(said, c.say) || len(w.ran) > 0 {
				t.Errorf("said %q, want %q; ran %q", said, c.say, w.ran)
			}
			a.Grow = false
			if said := strings.Join(a.Notes(w.Host()), "\n"); !strings.Contains(said, strings.TrimPrefix(c.say, "it is not made larger: ")) || strings.Contains(said, "grow: yes") {
				t.Errorf("without the profile's word: %q", said)
			}
		})
	}
}

// An array that nobody has written to yet takes no other size before it may be
// written to.
func TestGrowthOfAnArrayThatNobodyHasWrittenTo(t *testing.T) {
	w := enlarged(t)
	w.arrays["md127"].state = "read-auto"
	w.show("md127")
	if err := onePass(w.Host(), plan.Disrupts, Growth{raid10()}); err != nil || w.tools() != "mdadm --readwrite, mdadm --grow" {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}

// A group takes in the volumes that became larger, and no other. Its volume does
// not become larger than what the group has for it, nor ever smaller.
func TestGrowthOfAGroup(t *testing.T) {
	var on []Device
	for _, id := range four {
		on = append(on, Volume{id})
	}
	w := newWorld(t, four...)
	g := groupOn(on...)
	l := LogicalVolume{Group: g, Name: "mysql", Size: 2 * worldDisk, Create: CreateIfBlank}
	if err := onePass(w.Host(), plan.Destroys, g, l); err != nil {
		t.Fatal(err)
	}
	w.ran = nil
	larger := l
	larger.Size = 6 * worldDisk
	if err := onePass(w.Host(), plan.Disrupts, Growth{g}, Growth{larger}); err != nil || len(w.ran) > 0 {
		t.Fatalf("%v; ran %q", err, w.ran)
	}
	wantNotes(t, w, Growth{larger}, "lvm:db/mysql, which has 2 GiB, and by the profile (6442450944 bytes) 6 GiB: it can grow once the group has room for that, of which 1.984 GiB is left")
	w.enlarge(four[1], 5*worldDisk)
	if err := onePass(w.Host(), plan.Disrupts, Growth{g}, Growth{larger}, Growth{l}); err != nil {
		t.Fatal(err)
	}
	all := "/dev/nvme1n1,/dev/nvme2n1,/dev/nvme3n1,/dev/nvme4n1"
	want := []string{"pvresize --devices " + all + " /dev/nvme2n1", "lvextend --devices " + all + " --size 6442450944b db/mysql"}
	if !slices.Equal(w.ran, want) || w.lvs["db/mysql"].size != 6*worldDisk {
		t.Errorf("ran %q, want %q; it has %d bytes", w.ran, want, w.lvs["db/mysql"].size)
	}
}

// A group that lacks a device takes in nothing.
func TestGrowthOfAPartialGroup(t *testing.T) {
	w := newWorld(t, four...)
	g := groupOn(Volume{four[0]}, Volume{four[1]})
	l := LogicalVolume{Group: g, Name: "mysql", Percent: 30, Create: CreateIfBlank}
	if err := onePass(w.Host(), plan.Destroys, g, l); err != nil {
		t.Fatal(err)
	}
	w.enlarge(four[0], 5*worldDisk)
	w.detach(four[1])
	w.ran = nil
	for _, r := range []plan.Resource{Growth{g}, Growth{LogicalVolume{Group: g, Name: "mysql", Percent: 90}}} {
		err := onePass(w.Host(), plan.Disrupts, r)
		if err == nil || !strings.Contains(err.Error(), "the group lacks devices: attach them first") || len(w.ran) > 0 {
			t.Errorf("%s: %v; ran %q", r.ID(), err, w.ran)
		}
	}
}

// The volume that is told to a tool may go between the look and the deed, and its
// kernel name be another's.
func TestGrowthOfWhatHasChangedItsPlace(t *testing.T) {
	w := enlarged(t)
	_, growths := grown()
	changes, err := growths[0].Check(t.Context(), w.Host())
	if err != nil || len(changes) != 1 {
		t.Fatal(changes, err)
	}
	w.detach(four[0])
	if err := changes[0].Do(t.Context()); len(w.ran) > 0 {
		t.Errorf("%v; ran %q", err, w.ran)
	}
}

// A file system grows where it is mounted, and where its device has room that it
// does not leave for good.
func TestGrowthOfAFileSystem(t *testing.T) {
	for name, c := range map[string]struct {
		kind, options string
		device        int64 // bytes
		elsewhere     bool  // another device is mounted there
		ran           string
		say           string
	}{
		"xfs":                         {"xfs", "rw", 2 << 30, false, "xfs_growfs -d /srv/my data", ""},
		"ext4":                        {"ext4", "rw", 2 << 30, false, "resize2fs /dev/md127", ""},
		"nothing is left":             {"ext4", "rw", 1 << 30, false, "", ""},
		"what mkfs.xfs leaves":        {"xfs", "rw", 1<<30 + 15<<20, false, "", ""},
		"what an ext4's tables take":  {"ext4", "rw", 1<<30 + 20<<20, false, "", ""},
		"a device that is smaller":    {"ext4", "rw", 1 << 29, false, "", ""},
		"read-only":                   {"ext4", "ro", 2 << 30, false, "", "the ext4 on /srv/my data, which uses 1 GiB of 2 GiB on raid:data (on vol-1, vol-2), and it is not made larger: it is mounted read-only"},
		"another device is there":     {"ext4", "rw", 2 << 30, true, "", ""},
		"a type that nobody can grow": {"btrfs", "rw", 2 << 30, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := withMounts(t, c.kind)
			d.Put("/usr/sbin/xfs_growfs", "", 0o755)
			d.Put("/usr/sbin/resize2fs", "", 0o755)
			d.size = map[string]int64{onArray.node: 1 << 30}
			d.deviceHas(onArray.node, c.device)
			from := onArray.node
			if c.elsewhere {
				from = onVolume.node
			}
			d.mounted("/srv/my data", from, c.kind, c.options)
			m := mountOf(onArray, c.kind)
			wantsNothing := c.ran == ""
			for _, note := range m.Notes(d.Host()) {
				if wantsNothing && c.say == "" || !strings.HasPrefix(note, "the "+c.kind+" on /srv/my data, which uses 1 GiB of 2 GiB on raid:data (on vol-1, vol-2)") {
					t.Errorf("it says %q", note)
				}
				wantsNothing = false
			}
			if !wantsNothing && c.ran+c.say == "" || wantsNothing && c.ran != "" {
				t.Errorf("notes: %q", m.Notes(d.Host()))
			}
			m.From.Grow = true
			_, err := settle(t, d.Host(), Growth{m}, plan.Disrupts)
			if ran := strings.Join(d.ran, "; "); ran != c.ran || (err == nil) != (c.say == "") || err != nil && !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v, want %q; ran %q, want %q", err, c.say, ran, c.ran)
			}
		})
	}
}

// A tool that goes on is waited for, whoever began it, and one that fails is told
// of with its words.
func TestGrowthWaitsForItsTool(t *testing.T) {
	d := withMounts(t, "ext4")
	d.Put("/usr/sbin/resize2fs", "", 0o755)
	d.size = map[string]int64{onArray.node: 1 << 30}
	d.deviceHas(onArray.node, 2<<30)
	d.mounted("/srv/my data", onArray.node, "ext4", "rw")
	g := Growth{mountOf(onArray, "ext4")}
	d.SetTask(toolUnit(g.ID()), goesOn)
	var wait *plan.NotYet
	if _, err := g.Check(t.Context(), d.Host()); !errors.As(err, &wait) {
		t.Errorf("while its tool runs: %v", err)
	}
	d.SetTask(toolUnit(g.ID()), host.TaskState{})
	d.bad["resize2fs"] = 1
	if _, err := settle(t, d.Host(), g, plan.Disrupts); err == nil || !strings.Contains(err.Error(), "resize2fs /dev/md127: ") || !strings.Contains(err.Error(), "it said so") {
		t.Errorf("a tool that fails: %v", err)
	}
}

// Sizes as the tools tell them.
func TestSizesOfFileSystems(t *testing.T) {
	size, leaves, err := sizeOfExt4(string(readTest(t, "dumpe2fs-used")))
	if err != nil || size != 64<<20 || leaves <= 0 {
		t.Errorf("%d, %d, %v", size, leaves, err)
	}
	size, _, err = sizeOfXFS(string(readTest(t, "xfs_growfs")))
	if err != nil || size != 300<<20 {
		t.Errorf("%d, %v", size, err)
	}
	for _, text := range []string{"", "data = bsize=4096", "data = bsize=x blocks=1", "Block count: 12\n", "Block count: 99999999999999999999\nBlock size: 4096\nInode blocks per group: 1\n"} {
		if _, _, err := sizeOfXFS(text); err == nil {
			t.Errorf("the size of an xfs out of %q", text)
		}
		if _, _, err := sizeOfExt4(text); err == nil {
			t.Errorf("the size of an ext4 out of %q", text)
		}
	}
}

func FuzzSizeOfFileSystem(f *testing.F) {
	for _, name := range []string{"dumpe2fs-used", "dumpe2fs-new", "xfs_growfs"} {
		f.Add(string(readTest(f, name)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range growers {
			if size, leaves, err := kind.size(text); size < 0 || leaves < 0 || err != nil && size != 0 {
				t.Errorf("%d bytes, %d left, %v", size, leaves, err)
			}
		}
	})
}
