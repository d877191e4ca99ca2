package storage

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

func fsOf(on Device, kind string) FileSystem {
	return FileSystem{Common: Common{Folder: storageDir}, On: on, Type: kind, Create: CreateIfBlank}
}

// intentsOf are what a volume's file says.
func (d *disks) intentsOf(t *testing.T, volume string) []intent {
	t.Helper()
	var f intents
	if err := json.Unmarshal([]byte(d.Read(storageDir+"/intents/"+volume+".json")), &f); err != nil {
		t.Fatal(err)
	}
	return f.Intents
}

// made wants the file system to be so, to have the UUID of its intent, and the
// intent to be ended.
func (d *disks) made(t *testing.T, f FileSystem) {
	t.Helper()
	isSo(t, d.Host(), f)
	i, known, err := f.intendedFor(d.Host(), f.On.Volumes(), f.ID())
	if err != nil || !known || i.half() || i.Do != intentCreate || i.Began == "" || i.UUID != d.holds[f.On.(lying).node].UUID {
		t.Errorf("intent %+v (%v); the devices hold %+v", i, err, d.holds)
	}
}

// Check, Do, and Check is empty; the intent is on the disk of the machine before
// mkfs begins, with each volume.
func TestFileSystemIsCreated(t *testing.T) {
	for kind, c := range map[string]struct {
		label   string
		options []string
		argv    string // UUID stands for itself
	}{
		"xfs":  {"data", []string{"-d", "su=64k,sw=4"}, "mkfs.xfs -m uuid=UUID -L data -d su=64k,sw=4 /dev/md127"},
		"ext4": {"", []string{"-E", "stride=16", "-m0"}, "mkfs.ext4 -q -U UUID -E stride=16 -m0 /dev/md127"},
		"swap": {"s", nil, "mkswap -U UUID -L s /dev/md127"},
	} {
		t.Run(kind, func(t *testing.T) {
			d := withDisks(t)
			f := fsOf(onArray, kind)
			f.Label, f.Options = c.label, c.options
			did, err := settle(t, d.Host(), f, plan.Destroys)
			if want := []string{"create " + kind + " on raid:data (on vol-1, vol-2)"}; err != nil || !slices.Equal(did, want) {
				t.Fatalf("did %q, %v; want %q", did, err, want)
			}
			d.made(t, f)
			if want := strings.Replace(c.argv, "UUID", d.holds["/dev/md127"].UUID, 1); !slices.Equal(d.ran, []string{want}) {
				t.Errorf("ran %q, want %q", d.ran, want)
			}
			dir := storageDir + "/intents"
			if p := d.Points(); !inOrder(p, "write:"+dir+"/vol-1.json done", "write:"+dir+"/vol-2.json done", "unit:launch "+toolUnit(f.ID())+" enqueue") {
				t.Errorf("mkfs began too early: %q", p)
			}
			d.Forget()
			isSo(t, d.Host(), f)
			for _, e := range d.Effects() {
				if !strings.HasPrefix(e, "run:") {
					t.Errorf("a second look did %s", e)
				}
			}
		})
	}
}

func TestFileSystemRefuses(t *testing.T) {
	never := func(f *FileSystem) { f.Create = CreateNever }
	for name, c := range map[string]struct {
		on    *lying
		holds block.Content
		set   func(f *FileSystem)
		do    func(d *disks)
		words []string
	}{
		"no consent":              {set: never, words: []string{"create is never", "attach the volumes"}},
		"nothing said":            {set: func(f *FileSystem) { f.Create = "" }, words: []string{"create is never"}},
		"another type":            {holds: block.Content{Type: "ext4", UUID: vanilla, Label: "old"}, words: []string{`it holds a file system, ext4, labelled "old", UUID ` + vanilla + `; nothing was written`}},
		"a member of an array":    {holds: block.Content{Type: "linux_raid_member", UUID: vanilla}, words: []string{"linux_raid_member"}},
		"a partition table":       {holds: block.Content{Type: "gpt"}, words: []string{"it holds a partition table, gpt"}},
		"not blank":               {do: func(d *disks) { d.dirty["/dev/nvme1n1"] = true }, words: []string{"nothing is made there, as it is not blank: data at byte 4096 was found"}},
		"several things at once":  {do: func(d *disks) { d.bad["blkid"] = 8 }, words: []string{"nothing was written", "several things at once"}},
		"a look that fails":       {do: func(d *disks) { d.bad["blkid"] = 4 }, words: []string{"nothing was written", "exit code 4"}},
		"from a snapshot":         {set: func(f *FileSystem) { f.Snapshot = map[string]bool{"vol-1": true} }, words: []string{"volume vol-1 was made from a snapshot"}},
		"may not be written to":   {do: func(d *disks) { d.Put("/sys/block/nvme1n1/ro", "1\n", 0o644) }, words: []string{"may not be written to"}},
		"not of this world":       {set: func(f *FileSystem) { f.Type = "btrfs" }, words: []string{`"btrfs"`}},
		"the device says no":      {on: &lying{id: "volume:vol-1", volumes: []string{"vol-1"}, err: errors.New("twice")}, words: []string{"twice"}},
		"force":                   {set: func(f *FileSystem) { f.Options = []string{"-f"} }, words: []string{"mkfs option -f: nothing is ever made by force"}},
		"force among others":      {set: func(f *FileSystem) { f.Options = []string{"-Kf"} }, words: []string{"-Kf"}},
		"another device":          {set: func(f *FileSystem) { f.Options = []string{"/dev/nvme2n1"} }, words: []string{"/dev/nvme2n1: it belongs to no flag"}},
		"a log on another device": {set: func(f *FileSystem) { f.Options = []string{"-l", "logdev=/dev/nvme2n1"} }, words: []string{"logdev=/dev/nvme2n1: it may name another device"}},
		"two words":               {set: func(f *FileSystem) { f.Options = []string{"-m reflink=0"} }, words: []string{"one word"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := withDisks(t)
			d.holds["/dev/nvme1n1"] = c.holds
			f := fsOf(onVolume, "xfs")
			if c.on != nil {
				f.On = *c.on
			}
			if c.set != nil {
				c.set(&f)
			}
			if c.do != nil {
				c.do(d)
			}
			d.refused(t, f, append(c.words, " on volume vol-1: ")...)
		})
	}
}

// The force of ext4 and of swap has other letters.
func TestMkfsOptions(t *testing.T) {
	for _, c := range []struct {
		kind    string
		options []string
		ok      bool
	}{
		{"ext4", []string{"-F"}, false}, {"ext4", []string{"-qF"}, false}, {"ext4", []string{"-mF"}, true}, {"ext4", []string{"-m", "0", "-F"}, false}, {"ext4", []string{"-m0", "-F"}, false},
		{"ext4", []string{"-S"}, false}, {"ext4", []string{"-U", "clear"}, false}, {"ext4", []string{"-J", "device=UUID=" + vanilla}, false},
		{"ext4", []string{"-O", "^has_journal", "-T", "largefile4"}, true}, {"ext4", []string{"-n"}, false},
		{"swap", []string{"-f"}, false}, {"swap", []string{"--force"}, false}, {"swap", []string{"-p", "4096"}, true},
		{"xfs", []string{"-K", "-s", "size=4096", "-ireflink=0"}, true}, {"xfs", []string{"-i", "-f"}, true}, {"xfs", []string{""}, false},
	} {
		if err := makers[c.kind].sound(c.options); (err == nil) != c.ok {
			t.Errorf("%s %q: %v", c.kind, c.options, err)
		}
	}
}

// A pass that may not create says what another would do, and reads no device to
// find out.
func TestFileSystemUnproven(t *testing.T) {
	d := withDisks(t)
	d.dirty["/dev/nvme1n1"] = true
	did, err := settle(t, d.Host(), fsOf(onVolume, "xfs"), plan.Disrupts)
	if want := []string{"not done: create xfs on volume vol-1 (once proven blank)"}; err != nil || !slices.Equal(did, want) {
		t.Errorf("%q, %v; want %q", did, err, want)
	}
	if len(d.proofs) > 0 {
		t.Errorf("it was read: %q", d.proofs)
	}
}

// What was proven by the look is proven again right before it is written to.
func TestFileSystemIsProvenAgain(t *testing.T) {
	for name, comes := range map[string]func(d *disks){
		"data":             func(d *disks) { d.dirty["/dev/nvme1n1"] = true },
		"somebody's array": func(d *disks) { d.holds["/dev/nvme1n1"] = block.Content{Type: "linux_raid_member"} },
		"a snapshot's":     func(d *disks) { d.Put("/sys/block/nvme1n1/ro", "1\n", 0o644) },
	} {
		d := withDisks(t)
		ctx := plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true})
		changes, err := fsOf(onVolume, "ext4").Check(ctx, d.Host())
		if err != nil || len(changes) != 1 || changes[0].Risk != plan.Destroys {
			t.Fatalf("%+v, %v", changes, err)
		}
		comes(d)
		if err := changes[0].Do(ctx); err == nil || len(d.ran) > 0 {
			t.Errorf("%s: error %v; ran %q", name, err, d.ran)
		}
	}
}

// All of a device is read, unless something beside it says that it is new.
func TestFileSystemWitness(t *testing.T) {
	for name, c := range map[string]struct {
		on  Device
		set func(t *testing.T, d *disks, s *Common)
		all bool
	}{
		"none":              {onVolume, func(*testing.T, *disks, *Common) {}, true},
		"of the volume":     {onVolume, func(_ *testing.T, _ *disks, s *Common) { s.Witnessed = map[string]bool{"vol-1": true} }, false},
		"of one of two":     {onArray, func(_ *testing.T, _ *disks, s *Common) { s.Witnessed = map[string]bool{"vol-1": true} }, true},
		"of both":           {onArray, func(_ *testing.T, _ *disks, s *Common) { s.Witnessed = map[string]bool{"vol-1": true, "vol-2": true} }, false},
		"we made the array": {onArray, func(t *testing.T, d *disks, s *Common) { madeBefore(t, d, *s, "raid:data") }, false},
		"we made the array, all of it": {onArray, func(t *testing.T, d *disks, s *Common) {
			madeBefore(t, d, *s, "raid:data")
			endedBefore(t, d, *s, "raid:data")
		}, false},
		"we made the array, in an earlier boot": {onArray, func(t *testing.T, d *disks, s *Common) {
			madeBefore(t, d, *s, "raid:data")
			endedBefore(t, d, *s, "raid:data")
			d.Put(bootIDPath, "boot-2\n", 0o644)
		}, true},
		"begun in an earlier boot, ended in this": {onArray, func(t *testing.T, d *disks, s *Common) {
			madeBefore(t, d, *s, "raid:data")
			d.Put(bootIDPath, "boot-2\n", 0o644)
			endedBefore(t, d, *s, "raid:data")
		}, true},
		"we made another": {onArray, func(t *testing.T, d *disks, s *Common) { madeBefore(t, d, *s, "raid:data2") }, true},
		"one, and half made": {onArray, func(t *testing.T, d *disks, s *Common) {
			s.Witnessed = map[string]bool{"vol-2": true}
			madeBefore(t, d, *s, "raid:data", "vol-1")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := withDisks(t)
			f := fsOf(c.on, "xfs")
			c.set(t, d, &f.Common)
			if _, err := settle(t, d.Host(), f, plan.Destroys); err != nil {
				t.Fatal(err)
			}
			if len(d.proofs) < 2 {
				t.Fatalf("proven by %q", d.proofs)
			}
			for _, p := range d.proofs {
				if strings.Contains(p, "--witnessed") == c.all {
					t.Errorf("proven by %s; all of it: %v is wanted", p, c.all)
				}
			}
		})
	}
}

func madeBefore(t *testing.T, d *disks, s Common, id string, volumes ...string) {
	t.Helper()
	if volumes == nil {
		volumes = onArray.volumes
	}
	if err := s.intend(d.Host(), intent{For: id, UUID: vanilla, Volumes: volumes}); err != nil {
		t.Fatal(err)
	}
}

func endedBefore(t *testing.T, d *disks, s Common, id string) {
	t.Helper()
	if err := s.ended(d.Host(), intent{For: id, UUID: vanilla, Volumes: onArray.volumes}); err != nil {
		t.Fatal(err)
	}
}

// Killed anywhere, the next pass ends with a file system of ours, and one that
// was seen whole is never made a second time.
func TestFileSystemKilledAnywhere(t *testing.T) {
	for _, kind := range []string{"xfs", "ext4", "swap"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for n, died := 1, true; died; n++ {
				d := withDisks(t)
				f := fsOf(onArray, kind)
				died = d.Kill(n, func(h *host.Host) { _, _ = settle(t, h, f, plan.Destroys) })
				if _, err := settle(t, d.Host(), f, plan.Destroys); err != nil {
					t.Fatalf("killed at %d: %v", n, err)
				}
				d.made(t, f)
				if len(d.ran) != 1 {
					t.Errorf("killed at %d: ran %q", n, d.ran)
				}
			}
		})
	}
}
