package storage

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// What LVM is told, to the word, by one that knows of autoactivation and by an
// older one.
func TestWhatLVMIsTold(t *testing.T) {
	on := []Device{Volume{four[0]}, Volume{four[1]}}
	l := mysqlOn(on...)
	l.Percent, l.Size, l.Stripes = 0, 10<<20, 2
	for _, old := range []bool{false, true} {
		w := newWorld(t, four...)
		w.old = old
		if err := onePass(w.Host(), plan.Destroys, groupOn(on...), l); err != nil {
			t.Fatal(err)
		}
		uuid := func(id string) string {
			i, _, err := storage.intended(w.Host(), id, "lvm:db")
			if err != nil {
				t.Error(err)
			}
			return pvUUID(i.UUID)
		}
		auto := " --setautoactivation n"
		if old {
			auto = ""
		}
		const list = " --devices /dev/nvme1n1,/dev/nvme2n1"
		want := []string{
			"pvcreate" + list + " --uuid " + uuid(four[0]) + " --norestorefile /dev/nvme1n1",
			"pvcreate" + list + " --uuid " + uuid(four[1]) + " --norestorefile /dev/nvme2n1",
			"vgcreate" + list + auto + " db /dev/nvme1n1 /dev/nvme2n1",
			"lvcreate" + list + " --name mysql --wipesignatures n --zero n --activate y --size 16777216b --stripes 2 db",
		}
		if !slices.Equal(w.ran, want) {
			t.Errorf("ran %q\nwant %q", w.ran, want)
		}
		if uuid(four[0]) == uuid(four[1]) {
			t.Error("two physical volumes of one UUID")
		}
		if notes := l.Notes(w.Host()); len(notes) > 0 {
			t.Errorf("notes: %q", notes)
		}
	}
}

// A group that a cut has left on some of its devices is given the others.
func TestGroupThatACutLeftSmall(t *testing.T) {
	on := []Device{Volume{four[0]}, Volume{four[1]}}
	w := newWorld(t, four...)
	w.cut = "vgcreate"
	if err := onePass(w.Host(), plan.Destroys, groupOn(on...)); err == nil {
		t.Fatal("the cut made no trouble")
	}
	w.cut, w.ran = "", nil
	w.pvs["nvme1n1"].group = "db"
	if err := onePass(w.Host(), plan.Destroys, groupOn(on...)); err != nil || w.tools() != "vgextend" || halfDone(w) != "" {
		t.Errorf("%v, ran %q, half done %s", err, w.ran, halfDone(w))
	}
}

// A group that lacks a volume has those started that are whole, read-only or, by
// the policy, not.
func TestDegradedGroups(t *testing.T) {
	for policy, ro := range map[string]bool{"": true, DegradedReadOnly: true, DegradedStart: false} {
		w := newWorld(t, four...)
		g := groupOn(Volume{four[0]}, Volume{four[1]})
		g.Degraded = policy
		small := LogicalVolume{Group: g, Name: "small", Size: worldExtent, Create: CreateIfBlank}
		large := LogicalVolume{Group: g, Name: "large", Percent: 75, Create: CreateIfBlank}
		if err := onePass(w.Host(), plan.Destroys, g, small, large); err != nil {
			t.Fatal(err)
		}
		w.reboot()
		w.SetTask(toolUnit(small.ID()), host.TaskState{})
		w.detach(four[1])
		bytes := w.bytes()
		if err := onePass(w.Host(), plan.Disrupts, g, small); err != nil || w.lvs["db/small"].readOnly != ro {
			t.Errorf("%q: %v, read-only %v; ran %q", policy, err, w.lvs["db/small"].readOnly, w.ran)
		}
		if err := onePass(w.Host(), plan.Disrupts, large); err == nil || w.lvs["db/large"].active {
			t.Errorf("%q: the half that is there was started: %v", policy, err)
		}
		if last := w.ran[len(w.ran)-1]; !strings.Contains(last, "--activationmode complete") {
			t.Errorf("%q: LVM was not kept from starting halves: %s", policy, last)
		}
		if w.bytes() != bytes {
			t.Errorf("%q: something was written", policy)
		}
		if notes := g.Notes(w.Host()); len(notes) != 1 || !strings.Contains(notes[0], four[1]+" is missing") {
			t.Errorf("%q: notes %q", policy, notes)
		}
	}
}

// A group of the name that others have made since, on one of its devices or on
// all, is none of ours: nothing is created in it.
func TestGroupThatOthersMadeAnew(t *testing.T) {
	on := []Device{Volume{four[0]}, Volume{four[1]}}
	for _, kernel := range []string{"nvme1n1", "nvme2n1"} {
		w := newWorld(t, four...)
		if err := onePass(w.Host(), plan.Destroys, groupOn(on...)); err != nil {
			t.Fatal(err)
		}
		w.ran = nil
		w.pvs[kernel].uuid = pvUUID(newUUID())
		err := onePass(w.Host(), plan.Destroys, groupOn(on...), mysqlOn(on...))
		if err == nil || !strings.Contains(err.Error(), "this instance has not made that group") || len(w.ran) > 0 {
			t.Errorf("%s: %v, ran %q", kernel, err, w.ran)
		}
	}
}

// A volume of another size is told of and left, and one of a like name is
// another: db-my/sql and db/my-sql are called alike but for the hyphens.
func TestLogicalVolumesAsTheyAre(t *testing.T) {
	w := newWorld(t, four...)
	w.pvs["nvme1n1"] = &worldPV{uuid: pvUUID(newUUID()), group: "db"}
	w.lvs["db/my-sql"] = &worldLV{size: worldExtent}
	l := LogicalVolume{Group: groupOn(Volume{four[0]}), Name: "my-sql", Size: 5 * worldExtent}
	if err := onePass(w.Host(), plan.Disrupts, l); err != nil {
		t.Fatal(err)
	}
	if notes := l.Notes(w.Host()); len(notes) != 1 || !strings.Contains(notes[0], "has 4194304 bytes") || !strings.Contains(notes[0], "20971520") {
		t.Errorf("notes %q", notes)
	}
	if node, err := l.Node(t.Context(), w.Host()); err != nil || node != "/dev/dm-1" {
		t.Errorf("%s, %v", node, err)
	}
	l.Name = "my"
	if _, err := l.Node(t.Context(), w.Host()); err == nil {
		t.Error("my-sql was taken for my")
	}
}

// A device of the name that lies on other disks is another machine's copy.
func TestLogicalVolumeOnOtherDisks(t *testing.T) {
	w := newWorld(t, four...)
	w.pvs["nvme1n1"] = &worldPV{uuid: pvUUID(newUUID()), group: "db"}
	w.lvs["db/mysql"] = &worldLV{size: worldExtent, active: true, kernel: "dm-7"}
	w.device("dm-7", "nvme2n1")
	w.Put("/sys/devices/dm-7/dm/name", "db-mysql\n", 0o444)
	l := LogicalVolume{Group: groupOn(Volume{four[0]}), Name: "mysql", Size: worldExtent}
	if err := onePass(w.Host(), plan.Destroys, l); err == nil || !strings.Contains(err.Error(), "lies on nvme2n1, which is none of its volumes") || len(w.ran) > 0 {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}
