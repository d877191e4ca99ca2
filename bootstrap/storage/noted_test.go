package storage

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// A person's word for what a cut has left is for bytes that nobody recognises:
// not for another's signature, which wipefs alone may know, nor for what lies
// upon the device.
func TestAPersonsWordIsForBytesAlone(t *testing.T) {
	for name, c := range map[string]struct {
		signature, upon string
		words           string // of the refusal; "" for none
	}{
		"bytes":             {"", "", ""},
		"its own, damaged":  {"xfs", "", ""},
		"another's":         {"zfs_member", "", "a signature of zfs_member at byte 0x3f000 was found"},
		"a device upon it":  {"", "dm-9", "dm-9 on it was found"},
		"its own, and upon": {"xfs", "dm-9", "dm-9 on it was found"},
	} {
		d := withDisks(t)
		f := fsOf(onVolume, "xfs")
		d.powerCut(t, "mkfs.xfs", f)
		delete(d.holds, onVolume.node)
		d.Answer(func(argv []string) (host.Output, error, bool) {
			if argv[0] == "wipefs" && c.signature != "" && d.holds[onVolume.node].Type == "" {
				return host.Output{Stdout: []byte(`{"signatures": [{"offset": "0x3f000", "type": "` + c.signature + `"}]}`)}, nil, true
			}
			return d.answer(argv)
		})
		if c.upon != "" {
			d.Put("/sys/class/block/nvme1n1/holders/"+c.upon+"/", "", 0)
		}
		_, err := granted(t, d.Host(), f, plan.Destroys, plan.Grant{Volumes: onVolume.volumes})
		if got := text(err); (got == "") != (c.words == "") || !strings.Contains(got, c.words) || (len(d.ran) > 1) != (c.words == "") {
			t.Errorf("%s: %v, ran %q; want %q", name, err, d.ran, c.words)
		}
	}
}

// A file system of ours that a cut has left is not taken away from below
// something.
func TestMkfsCutAndBuiltUpon(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "xfs")
	d.powerCut(t, "mkfs.xfs", f)
	d.Put("/sys/class/block/nvme1n1/holders/dm-9/", "", 0)
	d.refused(t, f, "dm-9 lies upon what a cut has left of it; nothing was written")
}

// What this instance has made needs samples alone. Another array of the name, and
// a volume in another's group, may lie where somebody's data did: all is read.
func TestWhatIsReadOfWhatIsOurs(t *testing.T) {
	group := func(w *world, uuid string) {
		w.pvs["nvme1n1"] = &worldPV{uuid: pvUUID(uuid), group: "db"}
		w.lvs["db/mysql"] = &worldLV{size: worldExtent}
		w.lvChange([]string{"--devices", "/dev/nvme1n1", "db/mysql"})
	}
	array := func(w *world, uuid string) {
		for _, id := range four {
			w.member(id, mdUUID(uuid), "raid10", 4, 0)
		}
		w.assembled("md127", "clean", "nvme1n1", "nvme2n1", "nvme3n1", "nvme4n1")
	}
	for name, c := range map[string]struct {
		on    Device
		steps []string
		make  func(w *world, uuid string)
		same  bool
	}{
		"our array":     {raid10(), []string{"raid:data"}, array, true},
		"another array": {raid10(), []string{"raid:data"}, array, false},
		"our group":     {mysqlOn(Volume{four[0]}), []string{"lvm:db", "lvm:db/mysql"}, group, true},
		"another group": {mysqlOn(Volume{four[0]}), []string{"lvm:db", "lvm:db/mysql"}, group, false},
	} {
		w := newWorld(t, four...)
		for _, s := range slices.Backward(c.steps) {
			w.intended(t, s, true, c.on.Volumes()...)
		}
		i, _, err := storage.intended(w.Host(), four[0], c.steps[0])
		if err != nil {
			t.Fatal(err)
		}
		if !c.same {
			i.UUID = vanilla
		}
		c.make(w, i.UUID)
		var asked []string
		w.Answer(func(argv []string) (host.Output, error, bool) {
			if argv[0] == "/proc/self/exe" {
				asked = argv
			}
			return w.answer(argv)
		})
		f := FileSystem{Common: storage, On: c.on, Type: "xfs", Create: CreateIfBlank}
		ctx := plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true})
		changes, err := f.Check(ctx, w.Host())
		if err != nil || len(changes) != 1 || slices.Contains(asked, "--witnessed") != c.same {
			t.Errorf("%s: %v, %v, proven by %q", name, changes, err, asked)
		}
	}
}

// Nor are a member and a physical volume of ours that a cut has left.
func TestHalfMadeAndBuiltUpon(t *testing.T) {
	for name, c := range map[string]struct {
		want plan.Resource
		cut  func(w *world)
	}{
		"array": {raid10(), func(w *world) { w.tear = 1 }},
		"group": {groupOn(Volume{four[0]}, Volume{four[1]}), func(w *world) { w.cut = "vgcreate" }},
	} {
		w := newWorld(t, four...)
		c.cut(w)
		if err := onePass(w.Host(), plan.Destroys, c.want); err == nil {
			t.Fatalf("%s: the cut made no trouble", name)
		}
		w.tear, w.cut, w.ran = 0, "", nil
		w.device("dm-9", w.disks[four[0]])
		if err := onePass(w.Host(), plan.Destroys, c.want); !strings.Contains(text(err), "dm-9 lies upon what a cut has left of it") || len(w.ran) > 0 {
			t.Errorf("%s: %v, ran %q", name, err, w.ran)
		}
		w.gone("dm-9")
		if err := onePass(w.Host(), plan.Destroys, c.want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
