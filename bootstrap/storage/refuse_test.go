package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// refusal is a world that the last of want is refused in, with these words.
type refusal struct {
	name  string
	make  func(*world)
	want  []plan.Resource
	words []string
}

func arrayRefusals() []refusal {
	with := func(f func(*MDArray)) []plan.Resource {
		a := raid10()
		f(&a)
		return []plan.Resource{a}
	}
	plain := []plan.Resource{raid10()}
	members := func(ids ...string) func(*world) {
		return func(w *world) {
			for _, id := range ids {
				w.member(id, foreignUUID, "raid10", 4, 7)
			}
		}
	}
	never := with(func(a *MDArray) { a.Create = "" })
	return []refusal{
		{"create is never", func(w *world) { w.holds[w.disks[four[1]]] = "xfs" }, never, []string{"create is never", four[0], "nothing that is recognised", four[1] + " (nvme2n1): xfs"}},
		{"another thing is there", func(w *world) { w.holds[w.disks[four[1]]] = "crypto_LUKS" }, plain, []string{"volume " + four[1] + " (nvme2n1): nothing is made there, as it is not blank", "crypto_LUKS"}},
		{"bytes that nobody recognises", func(w *world) { w.dirty[w.disks[four[2]]] = "data at byte 4096" }, plain, []string{four[2], "data at byte 4096"}},
		{"made from a snapshot", nil, with(func(a *MDArray) { a.Snapshot = map[string]bool{four[3]: true} }), []string{"volume " + four[3] + " was made from a snapshot"}},
		{"one is missing", func(w *world) { w.detach(four[1]) }, plain, []string{"volume " + four[1] + " is missing", "none is created"}},
		{"all are missing", func(w *world) {
			for _, id := range four {
				w.detach(id)
			}
		}, plain, []string{"none of its volumes is attached", four[0], four[3]}},
		{"one is not known", nil, with(func(a *MDArray) { a.Over = four[:3] }), []string{"1 of its 4 volumes are not known"}},
		{"more than wanted", nil, with(func(a *MDArray) { a.Count = 3; a.Level = 5 }), []string{"4 volumes are there for an array of 3", four[3]}},
		{"members of two arrays", func(w *world) {
			members(four...)(w)
			w.member(four[2], "11111111:22222222:33333333:44444444", "raid10", 4, 7)
		}, plain, []string{"not all of one array", four[2] + " (nvme3n1) of array \"data\"", foreignUUID, "11111111:22222222:33333333:44444444"}},
		{"a member of another among blank ones", func(w *world) { w.member(four[2], foreignUUID, "raid1", 2, 7) }, plain, []string{"raid10 of 4", four[2], "raid1 of 2"}},
		{"another level", func(w *world) {
			for _, id := range four {
				w.member(id, foreignUUID, "raid5", 4, 7)
			}
		}, plain, []string{"the profile says raid10 of 4", "raid5 of 4", four[0]}},
		{"another count", func(w *world) {
			for _, id := range four {
				w.member(id, foreignUUID, "raid10", 5, 7)
			}
		}, plain, []string{"raid10 of 5"}},
		{"a snapshot beside its origin", func(w *world) {
			members(four...)(w)
			w.super[w.disks[four[3]]] = w.super[w.disks[four[2]]]
		}, plain, []string{four[2], four[3], "the same member"}},
		{"a volume that is there twice", func(w *world) {
			w.attach("vol-0000000e")
			w.Put("/sys/class/block/nvme5n1/device/serial", "vol0000000a\n", 0o444)
		}, plain, []string{four[0] + " is there twice", "nvme1n1", "nvme5n1"}},
		{"an array with another member", func(w *world) {
			w.attach("vol-0000000e")
			members(four...)(w)
			w.member("vol-0000000e", foreignUUID, "raid10", 4, 7)
			w.assembled("md9", "clean", "nvme1n1", "nvme2n1", "nvme3n1", "nvme5n1")
		}, plain, []string{"md9", four[0] + " (nvme1n1)", "nvme5n1", "not all volumes of it"}},
		{"raid0 without one", func(w *world) {
			for _, id := range four[:3] {
				w.member(id, foreignUUID, "raid0", 4, 7)
			}
			w.detach(four[3])
		}, with(func(a *MDArray) { a.Level = 0; a.Degraded = DegradedStart }), []string{"volume " + four[3] + " is missing", "raid0 of 4 volumes needs 4"}},
		{"raid5 without two, one of which cannot be read", func(w *world) {
			for _, id := range four[:2] {
				w.member(id, foreignUUID, "raid5", 4, 7)
			}
			w.deaf = w.disks[four[3]]
		}, with(func(a *MDArray) { a.Level = 5 }), []string{four[2] + " (nvme3n1) holds nothing of it", four[3] + " (nvme4n1) cannot be read", "needs 3"}},
		{"raid5 without two", func(w *world) {
			for _, id := range four[:2] {
				w.member(id, foreignUUID, "raid5", 4, 7)
			}
		}, with(func(a *MDArray) { a.Level = 5 }), []string{four[2] + " (nvme3n1) holds nothing of it", "needs 3"}},
		{"degraded is refuse", func(w *world) { members(four[:3]...)(w); w.detach(four[3]) },
			with(func(a *MDArray) { a.Degraded = DegradedRefuse }), []string{four[3], "degraded is refuse"}},
		{"degraded is refuse, and others were first", func(w *world) {
			members(four[:3]...)(w)
			w.detach(four[3])
			w.assembled("md9", "clean", "nvme1n1", "nvme2n1", "nvme3n1")
		}, with(func(a *MDArray) { a.Degraded = DegradedRefuse }), []string{four[3], "degraded is refuse", "md9"}},
		{"it was made, and is gone", func(w *world) {
			w.intended(w.t, "raid:data", true)
		}, plain, []string{"it was created at", "none is created in its place", "/intents"}},
		{"another came to be there", func(w *world) {
			w.intended(w.t, "raid:data", false)
			members(four...)(w)
		}, plain, []string{"its creation began at", foreignUUID}},
		{"cut short, and no longer wanted", func(w *world) { w.intended(w.t, "raid:data", false) }, never, []string{"was cut short", "create is never now"}},
		{"a name that is a path", nil, with(func(a *MDArray) { a.Name = "../sda" }), []string{"is no name"}},
	}
}

// intended notes an intent of these volumes, of all four where none is named,
// ended or not.
func (w *world) intended(t *testing.T, step string, ended bool, volumes ...string) {
	if volumes == nil {
		volumes = four
	}
	i := intent{For: step, UUID: newUUID(), Volumes: volumes}
	err := storage.intend(w.Host(), i)
	if err == nil && ended {
		err = storage.ended(w.Host(), i)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// begun notes an intent of a step about one volume.
func (w *world) begun(step, volume string) {
	if err := storage.intend(w.Host(), intent{For: step, UUID: newUUID(), Volumes: []string{volume}}); err != nil {
		w.t.Fatal(err)
	}
}

// A refusal says what was found where, and has run no tool and written nothing:
// neither in a pass that may do all, nor in one that only looks, where it does
// not need the proof.
func TestEveryLayerRefuses(t *testing.T) {
	for _, c := range slices.Concat(arrayRefusals(), groupRefusals()) {
		t.Run(c.want[0].ID()+" "+c.name, func(t *testing.T) {
			w := newWorld(t, four...)
			if c.make != nil {
				c.make(w)
			}
			bytes, files := w.bytes(), w.Tree()
			w.Forget()
			err := onePass(w.Host(), plan.Destroys, c.want...)
			for _, words := range c.words {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%v\nwant %q", err, words)
				}
			}
			if len(w.ran) > 0 || w.bytes() != bytes || len(w.Tree()) != len(files) {
				t.Errorf("it has run %q", w.ran)
			}
			for _, e := range w.Effects() {
				if !strings.HasPrefix(e, "run:") {
					t.Errorf("an effect: %s", e)
				}
			}
		})
	}
}

// Whatever lies on the volumes: nothing is created unless each is blank or our
// own half-made, also where it changed between the look and the deed.
func TestProvenAgainRightBeforeItWrites(t *testing.T) {
	for name, r := range map[string]plan.Resource{"array": raid10(), "group": groupOn(Volume{four[0]}, Volume{four[1]})} {
		w := newWorld(t, four...)
		ctx := plan.WithGrant(plan.WithAllowed(context.Background(), plan.Destroys), plan.Grant{IfBlank: true})
		changes, err := r.Check(ctx, w.Host())
		if err != nil || len(changes) != 1 || changes[0].Risk != plan.Destroys {
			t.Fatalf("%s: %v, %v", name, changes, err)
		}
		w.dirty[w.disks[four[1]]] = "data at byte 512"
		if err := changes[0].Do(ctx); err == nil || !strings.Contains(err.Error(), "data at byte 512") || len(w.ran) > 0 {
			t.Errorf("%s: %v, ran %q", name, err, w.ran)
		}
		if half := halfDone(w); half != "" {
			t.Errorf("%s: noted as begun: %s", name, half)
		}
	}
}

// A pass that may not create says what it would, and reads no device for it.
func TestUnprovenWhereNothingMayBeCreated(t *testing.T) {
	w := newWorld(t, four...)
	w.Answer(func(argv []string) (host.Output, error, bool) {
		if argv[0] == "/proc/self/exe" {
			t.Errorf("a device was read: %q", argv)
		}
		return w.answer(argv)
	})
	for _, r := range []plan.Resource{raid10(), groupOn(Volume{four[0]})} {
		changes, err := r.Check(context.Background(), w.Host())
		if err != nil || len(changes) != 1 || !strings.HasSuffix(changes[0].Say, "(once proven blank)") {
			t.Errorf("%s: %v, %v", r.ID(), changes, err)
		}
	}
}

// Of a volume that has come amidst the pass EC2 may know that it was made from a
// snapshot: nothing is created on it before EC2 was asked, whoever consents.
func TestNothingIsCreatedOnAVolumeThatEC2HasNotToldOf(t *testing.T) {
	w := newWorld(t, four...)
	s := storage
	s.Untold = map[string]bool{four[1]: true}
	a := raid10()
	a.Common = s
	g := groupOn(Volume{four[0]}, Volume{four[1]})
	g.Common = s
	f := FileSystem{Common: s, On: Volume{four[1]}, Type: "xfs", Create: CreateIfBlank}
	ctx := plan.WithGrant(plan.WithAllowed(t.Context(), plan.Destroys), plan.Grant{IfBlank: true, Volumes: four})
	for _, r := range []plan.Resource{a, g, f} {
		for who, ctx := range map[string]context.Context{"one that may create": ctx, "one that only looks": t.Context()} {
			changes, err := r.Check(ctx, w.Host())
			if err == nil || len(changes) > 0 || !strings.Contains(err.Error(), "EC2 has not told of volume "+four[1]+" since it was attached") {
				t.Errorf("%s, %s: %v, %v", r.ID(), who, changes, err)
			}
		}
	}
	if err := s.proveBlank(ctx, w.Host(), Volume{four[1]}, "/dev/"+w.disks[four[1]]); err == nil {
		t.Error("it is proven blank")
	}
	f.On = Volume{four[0]}
	if changes, err := f.Check(ctx, w.Host()); err != nil || len(changes) != 1 {
		t.Errorf("another volume: %v, %v", changes, err)
	}
	l := LogicalVolume{Group: groupOn(Volume{four[0]}), Name: "v", Percent: 100, Create: CreateIfBlank}
	if _, err := settle(t, w.Host(), l.Group, plan.Destroys); err != nil {
		t.Fatal(err)
	}
	l.Group.Common.Untold = map[string]bool{four[0]: true}
	if changes, err := l.Check(ctx, w.Host()); err == nil || !strings.Contains(err.Error(), "EC2 has not told of volume "+four[0]) {
		t.Errorf("%s: %v, %v", l.ID(), changes, err)
	}
}

// Of a large device that nothing says is new every byte would have to be read:
// that is refused at once, with what to do, and done where a person says so.
func TestALargeDeviceThatNobodySaysIsNew(t *testing.T) {
	person := plan.WithGrant(t.Context(), plan.Grant{Volumes: four[:1]})
	for name, c := range map[string]struct {
		ctx   context.Context
		gib   int64
		s     Common
		reads string // how, "" for not at all
	}{
		"nothing says so":      {t.Context(), 100, Common{}, ""},
		"the profile does":     {plan.WithGrant(t.Context(), plan.Grant{IfBlank: true}), 100, Common{}, ""},
		"one more than proven": {t.Context(), 65, Common{}, ""},
		"samples are enough":   {t.Context(), 64, Common{}, "look blank /dev/nvme1n1"},
		"a witness":            {t.Context(), 100, Common{Witnessed: map[string]bool{four[0]: true}}, "look blank --witnessed /dev/nvme1n1"},
		"a person names it":    {person, 100, Common{}, "look blank /dev/nvme1n1"},
	} {
		w := newWorld(t, four...)
		w.Put("/sys/devices/nvme1n1/size", fmt.Sprintln(c.gib<<30/512), 0o444)
		asked := ""
		w.Answer(func(argv []string) (host.Output, error, bool) {
			if argv[0] == "/proc/self/exe" {
				asked = strings.Join(argv[1:], " ")
			}
			return w.answer(argv)
		})
		c.s.Folder, c.s.Witness = storage.Folder, "reveille:instance=i-1"
		err := c.s.proveBlank(c.ctx, w.Host(), Volume{four[0]}, "/dev/nvme1n1")
		if asked != c.reads || (err == nil) != (c.reads != "") {
			t.Errorf("%s: asked %q, %v", name, asked, err)
		}
		want := fmt.Sprintf("it has %d GiB, and nothing says that it is new, so that samples do not prove it blank: tag the volume reveille:instance=i-1, or read every byte of it by `reveille boot --allow-create %s --timeout 2h`", c.gib, four[0])
		if err != nil && err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Above the size that samples prove, what is witnessed beside the device says
// whether samples are enough: of all volumes, or of none.
func TestWitnessedVolumes(t *testing.T) {
	for volume, want := range map[string]bool{four[0]: true, four[1]: false} {
		w := newWorld(t, four...)
		asked := ""
		w.Answer(func(argv []string) (host.Output, error, bool) {
			if argv[0] == "/proc/self/exe" {
				asked = strings.Join(argv[1:], " ")
			}
			return w.answer(argv)
		})
		s := storage
		s.Witnessed = map[string]bool{four[0]: true}
		if err := s.proveBlank(t.Context(), w.Host(), Volume{volume}, "/dev/"+w.disks[volume]); err != nil || strings.Contains(asked, "--witnessed") != want {
			t.Errorf("%s: %v, asked %q", volume, err, asked)
		}
	}
}
