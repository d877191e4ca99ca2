package storage

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// degradedWorld has an array of four, one of which is missing.
func degradedWorld(t *testing.T) *world {
	w := newWorld(t, four...)
	for _, id := range four {
		w.member(id, foreignUUID, "raid10", 4, 7)
	}
	w.detach(four[3])
	return w
}

// What is done with an array that lacks a volume, by the policy, by whether
// others were first, and by whether it is used.
func TestDegradedArrays(t *testing.T) {
	for name, c := range map[string]struct {
		policy string
		state  string // that others have left it in; "": they have not
		used   bool
		ran    string
		ends   string
	}{
		"read-only":                    {"", "", false, "mdadm --assemble", "readonly"},
		"start":                        {DegradedStart, "", false, "mdadm --assemble", "read-auto"},
		"started by others":            {DegradedReadOnly, "clean", false, "mdadm --readonly", "readonly"},
		"and not yet written to":       {DegradedReadOnly, "read-auto", false, "mdadm --readonly", "readonly"},
		"it serves":                    {DegradedReadOnly, "active", true, "", "active"},
		"it serves, and refuse":        {DegradedRefuse, "active", true, "", "active"},
		"read-only as it was":          {DegradedReadOnly, "readonly", false, "", "readonly"},
		"a person wants it started":    {DegradedStart, "readonly", true, "mdadm --readwrite", "clean"},
		"start, and others were first": {DegradedStart, "clean", false, "", "clean"},
		"udev waits for more":          {DegradedStart, "inactive", false, "mdadm --stop, mdadm --assemble", "read-auto"},
	} {
		t.Run(name, func(t *testing.T) {
			w := degradedWorld(t)
			kernel := "md127"
			if c.state != "" {
				kernel = "md126"
				w.assembled(kernel, c.state, w.disks[four[0]], w.disks[four[1]], w.disks[four[2]])
			}
			if c.used {
				w.device("dm-0", kernel)
			}
			a := raid10()
			a.Degraded = c.policy
			if err := onePass(w.Host(), plan.Disrupts, a); err != nil || w.tools() != c.ran {
				t.Errorf("%v, ran %q, want %q", err, w.ran, c.ran)
			}
			for _, r := range w.ran {
				if ro := strings.Contains(r, "--readonly"); strings.Contains(r, "--assemble") && (ro == (c.policy == DegradedStart) || !strings.Contains(r, "--run")) {
					t.Errorf("%q by the policy %q", r, c.policy)
				}
			}
			for _, r := range w.arrays {
				if r.state != c.ends {
					t.Errorf("it is %s, want %s", r.state, c.ends)
				}
			}
			notes := strings.Join(a.Notes(w.Host()), "; ")
			if !strings.Contains(notes, "raid:data is degraded: volume "+four[3]+" is missing") || strings.Contains(notes, "is read-only") != (c.ends == "readonly") {
				t.Errorf("notes: %s", notes)
			}
		})
	}
}

// The fourth member is there, and is none of the volumes that were chosen:
// nothing is started without it, or made writable, by any policy. A member of
// another array is nobody's concern.
func TestDegradedBesideAMember(t *testing.T) {
	const stray = "vol-0000000e"
	for name, c := range map[string]struct {
		policy, state, uuid string
		over                []string
		words               []string // of the refusal; none where there is none
	}{
		"read-only":           {"", "", foreignUUID, four, []string{"volume " + four[3] + " is missing", "nothing was started"}},
		"start":               {DegradedStart, "", foreignUUID, four, []string{"volume " + four[3] + " is missing", "nothing was started"}},
		"one is not known":    {DegradedStart, "", foreignUUID, four[:3], []string{"1 of its 4 volumes are not known", "nothing was started"}},
		"others started it":   {DegradedReadOnly, "clean", foreignUUID, four, []string{"left as it is"}},
		"start, and others":   {DegradedStart, "clean", foreignUUID, four, []string{"left as it is"}},
		"start, and readonly": {DegradedStart, "readonly", foreignUUID, four, []string{"left as it is"}},
		"of another array":    {DegradedStart, "", "11111111:22222222:33333333:44444444", four, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := degradedWorld(t)
			w.attach(stray)
			w.member(stray, c.uuid, "raid10", 4, 7)
			if c.state != "" {
				w.assembled("md126", c.state, w.disks[four[0]], w.disks[four[1]], w.disks[four[2]])
			}
			a := raid10()
			a.Degraded, a.Over = c.policy, c.over
			err := onePass(w.Host(), plan.Disrupts, a)
			if len(c.words) == 0 {
				if err != nil || len(w.ran) == 0 {
					t.Errorf("%v, ran %q", err, w.ran)
				}
				return
			}
			for _, words := range append(c.words, "volume "+stray+" (nvme4n1) is a member of it too, and is not among its volumes: correct the profile's choice") {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%v\nwant %q", err, words)
				}
			}
			if len(w.ran) > 0 {
				t.Errorf("ran %q", w.ran)
			}
		})
	}
}

// It comes between the look and the deed, or cannot be asked.
func TestMemberThatComesInTheMidst(t *testing.T) {
	for _, state := range []string{"", "readonly"} {
		w := degradedWorld(t)
		if state != "" {
			w.assembled("md126", state, w.disks[four[0]], w.disks[four[1]], w.disks[four[2]])
		}
		a := raid10()
		a.Degraded = DegradedStart
		changes, err := a.Check(t.Context(), w.Host())
		if err != nil || len(changes) != 1 {
			t.Fatalf("%q: %v, %v", state, changes, err)
		}
		w.attach("vol-0000000e")
		w.member("vol-0000000e", foreignUUID, "raid10", 4, 7)
		if err := changes[0].Do(t.Context()); err == nil || !strings.Contains(err.Error(), "vol-0000000e (nvme4n1) is a member of it too") || len(w.ran) > 0 {
			t.Errorf("%q: %v, ran %q", state, err, w.ran)
		}
	}
	w := degradedWorld(t)
	w.attach("vol-0000000e")
	w.Answer(func(argv []string) (host.Output, error, bool) {
		if argv[len(argv)-1] == "/dev/nvme4n1" {
			return host.Output{}, context.DeadlineExceeded, true
		}
		return w.answer(argv)
	})
	if err := onePass(w.Host(), plan.Disrupts, raid10()); err == nil || !strings.Contains(err.Error(), "whether volume vol-0000000e (nvme4n1) is a member of it too") || len(w.ran) > 0 {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}

// A mount makes an array used as well, and a swap area does.
func TestWhatUsesADevice(t *testing.T) {
	for path, text := range map[string]string{
		"/proc/self/mountinfo": "20 1 0:1 / / rw - overlay overlay rw\n40 20 9:5055 / /data rw - xfs /dev/md127 rw\n",
		"/proc/swaps":          "Filename Type Size Used Priority\n/dev/md127 partition 1 0 -2\n",
	} {
		w := degradedWorld(t)
		w.assembled("md127", "clean", w.disks[four[0]], w.disks[four[1]], w.disks[four[2]])
		w.Put(path, text, 0o444)
		if err := onePass(w.Host(), plan.Disrupts, raid10()); err != nil || len(w.ran) > 0 {
			t.Errorf("%s: %v, ran %q", path, err, w.ran)
		}
	}
}

// A member that comes back is told of, with the command; nothing is done by
// itself, and the next boot has it among the others.
func TestMemberThatComesBack(t *testing.T) {
	w := degradedWorld(t)
	w.assembled("md127", "readonly", w.disks[four[0]], w.disks[four[1]], w.disks[four[2]])
	w.attach(four[3])
	w.member(four[3], foreignUUID, "raid10", 4, 7)
	if err := onePass(w.Host(), plan.Disrupts, raid10()); err != nil || len(w.ran) > 0 {
		t.Errorf("%v, ran %q", err, w.ran)
	}
	notes := raid10().Notes(w.Host())
	if want := "`mdadm --readwrite /dev/md127 && mdadm /dev/md127 --re-add /dev/nvme4n1`"; len(notes) == 0 || !strings.Contains(notes[0], want) {
		t.Errorf("notes %q, want %s", notes, want)
	}
	if want := "`mdadm --zero-superblock /dev/nvme4n1 && mdadm /dev/md127 --add /dev/nvme4n1` rebuilds it"; len(notes) == 0 || !strings.Contains(notes[0], want) {
		t.Errorf("notes %q, want %s", notes, want)
	}
	w.reboot()
	if err := onePass(w.Host(), plan.Disrupts, raid10()); err != nil || strings.Contains(w.ran[0], "--run") || !strings.Contains(w.ran[0], "/dev/nvme4n1") {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}

// A whole array that udev is just putting together is waited for; one that it
// has left lying about is put together by us.
func TestUdevPutsItTogether(t *testing.T) {
	for starts, want := range map[bool]string{true: "", false: "mdadm --stop, mdadm --assemble"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, four...)
			for _, id := range four {
				w.member(id, foreignUUID, "raid10", 4, 7)
			}
			members := []string{"nvme1n1", "nvme2n1", "nvme3n1", "nvme4n1"}
			w.assembled("md125", "inactive", members...)
			looks := 0
			w.Answer(func(argv []string) (host.Output, error, bool) {
				if looks++; looks == 30 && starts {
					w.assembled("md125", "read-auto", members...)
				}
				return w.answer(argv)
			})
			if err := onePass(w.Host(), plan.Disrupts, raid10()); err != nil || w.tools() != want {
				t.Errorf("starts %v: %v, ran %q", starts, err, w.ran)
			}
		})
	}
}

// mdadm finds a volume taken, since udev was faster: that is waited for, and any
// other fault of mdadm's is told in its own words.
func TestUdevIsFaster(t *testing.T) {
	for faster, want := range map[bool]string{true: "waiting for udev", false: "exit code 1"} {
		w := newWorld(t, four...)
		for _, id := range four {
			w.member(id, foreignUUID, "raid10", 4, 7)
		}
		w.OnLaunch(func(task host.Task) host.TaskState {
			if faster {
				w.assembled("md125", "read-auto", "nvme1n1", "nvme2n1", "nvme3n1", "nvme4n1")
			}
			return w.launch(task)
		})
		w.bad = map[bool]string{false: "--assemble"}[faster]
		err := onePass(w.Host(), plan.Disrupts, raid10())
		var wait *plan.NotYet
		if err == nil || !strings.Contains(err.Error(), want) || errors.As(err, &wait) != faster {
			t.Errorf("udev was faster %v: %v, want %q", faster, err, want)
		}
	}
}

// What mdadm is told, to the word: a question of its own or another default
// would make another array.
func TestWhatMdadmIsTold(t *testing.T) {
	w := newWorld(t, four...)
	a := raid10()
	a.Chunk, a.Bitmap = 512, "internal"
	if err := onePass(w.Host(), plan.Destroys, a); err != nil {
		t.Fatal(err)
	}
	i, _, err := storage.intendedFor(w.Host(), four, a.ID())
	want := "mdadm --create /dev/md/data --run --metadata=1.2 --homehost=any --name=data --uuid=" + mdUUID(i.UUID) +
		" --level=10 --raid-devices=4 --chunk=512 --bitmap=internal /dev/nvme1n1 /dev/nvme2n1 /dev/nvme3n1 /dev/nvme4n1"
	if err != nil || !slices.Equal(w.ran, []string{want}) {
		t.Errorf("%v, ran %q", err, w.ran)
	}
	w.reboot()
	w.ran = nil
	want = "mdadm --assemble /dev/md/data --uuid=" + mdUUID(i.UUID) + " --homehost=any /dev/nvme1n1 /dev/nvme2n1 /dev/nvme3n1 /dev/nvme4n1"
	if err := onePass(w.Host(), plan.Disrupts, a); err != nil || !slices.Equal(w.ran, []string{want}) {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}

// Until mdadm has ended, whoever began it, nothing is judged.
func TestArrayWaitsForItsTool(t *testing.T) {
	w := newWorld(t, four...)
	w.SetTask(toolUnit("raid:data"), goesOn)
	var wait *plan.NotYet
	if _, err := raid10().Check(context.Background(), w.Host()); !errors.As(err, &wait) {
		t.Errorf("%v", err)
	}
	if _, err := raid10().Node(context.Background(), w.Host()); !errors.As(err, &wait) {
		t.Errorf("%v", err)
	}
}

// Of scratch that lacks a disk nothing is to be attached: what was on it is lost.
func TestScratchWithADiskAnew(t *testing.T) {
	w := newWorld(t, "AWS0000A", "AWS0000B")
	w.member("AWS0000A", foreignUUID, "raid0", 2, 7)
	a := MDArray{Common: Common{Folder: "/var/lib/reveille/instances/i-1/storage", Scratch: map[string]bool{"AWS0000A": true, "AWS0000B": true}},
		Name: "scratch", Level: 0, Over: []string{"AWS0000A", "AWS0000B"}, Count: 2, Create: CreateIfBlank}
	ctx := plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true, Scratch: a.Over})
	_, err := a.Check(ctx, w.Host())
	if err == nil || !strings.Contains(err.Error(), "volume AWS0000B (nvme2n1) holds nothing of it") || !strings.Contains(err.Error(), "the next boot makes it anew") {
		t.Error(err)
	}
	if len(w.ran) > 0 {
		t.Errorf("ran %q", w.ran)
	}
}
