package resource

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
