package storage

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/block"
	"reveille/bootstrap/plan"
)

// A power cut in the midst of mkfs: the next boot makes it anew, with the same
// UUID; its own signature is taken away first where mkfs would refuse over it.
func TestMkfsCut(t *testing.T) {
	for name, c := range map[string]struct {
		kind, program string
		unseen        bool // nothing of it is recognised afterwards
		tools         []string
	}{
		"xfs, its first block is there": {"xfs", "mkfs.xfs", false, []string{"mkfs.xfs", "wipefs", "mkfs.xfs"}},
		"xfs, nothing to recognise":     {"xfs", "mkfs.xfs", true, []string{"mkfs.xfs", "mkfs.xfs"}},
		"ext4, its last block is there": {"ext4", "mkfs.ext4", false, []string{"mkfs.ext4", "wipefs", "mkfs.ext4"}},
		"ext4, nothing to recognise":    {"ext4", "mkfs.ext4", true, []string{"mkfs.ext4", "mkfs.ext4"}},
		"swap, nothing to recognise":    {"swap", "mkswap", true, []string{"mkswap", "mkswap"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := withDisks(t)
			f := fsOf(onArray, c.kind)
			d.powerCut(t, c.program, f)
			uuid := d.holds["/dev/md127"].UUID
			if c.unseen {
				delete(d.holds, "/dev/md127")
			}
			began := d.intentsOf(t, "vol-1")[0].Began
			did, err := settle(t, d.Host(), f, plan.Disrupts)
			want := "create " + c.kind + " on raid:data (on vol-1, vol-2) anew: that of " + began + " was cut short"
			foretold, grant := want, plan.Grant{IfBlank: true}
			if c.unseen {
				foretold += " (once proven blank)"
			}
			if err != nil || !slices.Equal(did, []string{"not done: " + foretold}) {
				t.Fatalf("a pass that may not create did %q, %v", did, err)
			}
			if c.unseen { // whose bytes those are, a person must say
				d.refused(t, f, "not blank", "may be somebody's since", "`reveille boot --allow-create vol-1,vol-2`")
				grant = plan.Grant{Volumes: []string{"vol-2", "vol-1"}}
			}
			if did, err = granted(t, d.Host(), f, plan.Destroys, grant); err != nil || !slices.Equal(did, []string{want}) {
				t.Fatalf("did %q, %v; want %q", did, err, want)
			}
			d.made(t, f)
			if d.holds["/dev/md127"].UUID != uuid {
				t.Error("it has another UUID")
			}
			var tools []string
			for _, r := range d.ran {
				tools = append(tools, strings.Fields(r)[0])
			}
			if !slices.Equal(tools, c.tools) {
				t.Errorf("ran %q, want %q", d.ran, c.tools)
			}
			if i := slices.IndexFunc(d.ran, func(r string) bool { return strings.HasPrefix(r, "wipefs") }); i >= 0 && d.ran[i] != "wipefs --all --types "+c.kind+" /dev/md127" {
				t.Errorf("ran %q", d.ran[i])
			}
		})
	}
}

// Cut between the end of mkfs and the note of it: what may have been used by now
// is noted and never made anew, by any pass.
func TestMkfsEndedUnseen(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "xfs")
	d.powerCut(t, "mkfs.xfs", f)
	d.begun = map[string]bool{}
	did, err := settle(t, d.Host(), f, plan.Safe)
	if err != nil || len(did) != 1 || !strings.HasPrefix(did[0], "note that the xfs which was begun on volume vol-1 at ") {
		t.Fatalf("did %q, %v", did, err)
	}
	d.made(t, f)
	if len(d.ran) != 1 {
		t.Errorf("ran %q", d.ran)
	}
}

// What a person puts where ours was cut is that person's: the intent explains
// nothing any more, also when nobody recognises it later.
func TestMkfsCutAndReplaced(t *testing.T) {
	for kind, then := range map[string]string{"xfs": "", "ext4": "it holds a file system, ext4, UUID " + vanilla + "; nothing was written"} {
		d := withDisks(t)
		f := fsOf(onVolume, "xfs")
		d.powerCut(t, "mkfs.xfs", f)
		d.holds["/dev/nvme1n1"] = block.Content{Type: kind, UUID: vanilla}
		did, err := settle(t, d.Host(), f, plan.Destroys)
		if len(did) != 1 || !strings.HasPrefix(did[0], "note that somebody has put something on volume vol-1, where xfs was begun at ") {
			t.Fatalf("did %q", did)
		}
		if got := text(err); (got == "") != (then == "") || !strings.Contains(got, then) {
			t.Errorf("%q, want %q", got, then)
		}
		delete(d.holds, "/dev/nvme1n1")
		d.refused(t, f, "one was made there at ", "nobody recognises it any more", storageDir+"/intents")
		if len(d.ran) != 1 {
			t.Errorf("ran %q", d.ran)
		}
	}
}

// What is of our type and says no UUID is not ours: it is neither wiped away nor
// made anew.
func TestMkfsCutAndNoUUIDThere(t *testing.T) {
	for _, kind := range []string{"xfs", "ext4"} {
		d := withDisks(t)
		f := fsOf(onVolume, kind)
		d.powerCut(t, "mkfs."+kind, f)
		d.holds["/dev/nvme1n1"] = block.Content{Type: kind}
		did, err := settle(t, d.Host(), f, plan.Destroys)
		if err != nil || len(did) != 1 || !strings.HasPrefix(did[0], "note that somebody has put something on volume vol-1, where "+kind+" was begun at ") {
			t.Errorf("did %q, %v", did, err)
		}
		if len(d.ran) != 1 {
			t.Errorf("ran %q", d.ran)
		}
	}
}

// One that was seen whole and then lost its head still has its data.
func TestFileSystemLosesItsHead(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "ext4")
	if _, err := settle(t, d.Host(), f, plan.Destroys); err != nil {
		t.Fatal(err)
	}
	delete(d.holds, "/dev/nvme1n1")
	d.dirty = map[string]bool{}
	d.refused(t, f, "one was made there at ")
}

// What comes between the look and the deed is not written over, nor wiped away.
func TestMkfsCutAndReplacedMeanwhile(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "ext4")
	d.powerCut(t, "mkfs.ext4", f)
	ctx := plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true})
	changes, err := f.Check(ctx, d.Host())
	if err != nil || len(changes) != 1 {
		t.Fatalf("%+v, %v", changes, err)
	}
	d.holds["/dev/nvme1n1"] = block.Content{Type: "ext4", UUID: vanilla}
	if err := changes[0].Do(ctx); !strings.Contains(text(err), "nothing was written: it has come to hold") || len(d.ran) != 1 {
		t.Errorf("%v; ran %q", err, d.ran)
	}
}

// Consent that is taken back is taken back for what was cut, too.
func TestMkfsCutAndConsentTakenBack(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "xfs")
	d.powerCut(t, "mkfs.xfs", f)
	f.Create = CreateNever
	d.refused(t, f, "was cut short, and create is never now")
}

// An mkfs that refuses leaves no intent behind where it has written nothing, and
// its intent where it has.
func TestMkfsFails(t *testing.T) {
	for _, wrote := range []bool{false, true} {
		d := withDisks(t)
		f := fsOf(onVolume, "ext4")
		d.bad["mkfs.ext4"], d.spoils = 1, wrote
		_, err := settle(t, d.Host(), f, plan.Destroys)
		if !strings.Contains(text(err), "exit code 1: it said so") {
			t.Errorf("%v", err)
		}
		if left := len(d.intentsOf(t, "vol-1")) > 0; left != wrote {
			t.Errorf("wrote %v: an intent is left: %v", wrote, left)
		}
		d.bad = nil
		if wrote {
			d.refused(t, f, "may be somebody's since")
		}
		if _, err := granted(t, d.Host(), f, plan.Destroys, plan.Grant{IfBlank: true, Volumes: []string{"vol-1"}}); err != nil {
			t.Error(err)
		}
		d.made(t, f)
	}
}

// While mkfs goes on without the pass that began it, nobody looks at what it has
// made so far, and nobody begins another.
func TestMkfsOutlivesItsPass(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "xfs")
	d.powerCut(t, "mkfs.xfs", f)
	d.SetTask(toolUnit(f.ID()), goesOn)
	changes, err := f.Check(plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true}), d.Host())
	if len(changes) > 0 || !strings.Contains(text(err), "waiting for "+toolUnit(f.ID())+" to end") {
		t.Errorf("%v, %v", changes, err)
	}
}

// What the real tools say of a new one, of one whose mkfs never ended, and of
// one that was in use.
func TestWhatTellsACut(t *testing.T) {
	for file, want := range map[string]bool{"xfs_db-new": false, "xfs_db-cut": true, "dumpe2fs-new": false, "dumpe2fs-cut": true, "dumpe2fs-used": false} {
		parse := parseExt4
		if strings.HasPrefix(file, "xfs") {
			parse = parseXFS
		}
		text := string(readTest(t, file))
		if cut, err := parse(text); err != nil || cut != want {
			t.Errorf("%s: %v, %v; want %v", file, cut, err, want)
		}
		half := text[:strings.LastIndex(strings.TrimSpace(text[:len(text)/2]), "\n")+1]
		if cut, err := parse(half); err == nil || cut {
			t.Errorf("half of %s: %v, %v", file, cut, err)
		}
	}
}

// Only what says so in all its words is cut.
func FuzzCut(f *testing.F) {
	for _, file := range []string{"xfs_db-new", "xfs_db-cut", "dumpe2fs-new", "dumpe2fs-cut", "dumpe2fs-used"} {
		f.Add(string(readTest(f, file)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if cut, _ := parseXFS(text); cut && !strings.Contains(text, "inprogress") {
			t.Errorf("an xfs is cut by %q", text)
		}
		if cut, _ := parseExt4(text); cut && !(strings.Contains(text, "not clean") && strings.Contains(text, "n/a")) {
			t.Errorf("an ext4 is cut by %q", text)
		}
	})
}
