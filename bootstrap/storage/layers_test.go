package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const foreignUUID = "aaaaaaaa:bbbbbbbb:cccccccc:dddddddd"

var four = []string{"vol-0000000a", "vol-0000000b", "vol-0000000c", "vol-0000000d"}

// raid10 is over the four, lvm over that.
func raid10() MDArray {
	return MDArray{Common: storage, Name: "data", Level: 10, Over: four, Count: 4, Create: CreateIfBlank}
}

func groupOn(on ...Device) VolumeGroup {
	return VolumeGroup{Common: storage, Name: "db", Over: on, Create: CreateIfBlank}
}

func mysqlOn(on ...Device) LogicalVolume {
	return LogicalVolume{Group: groupOn(on...), Name: "mysql", Percent: 50, Create: CreateIfBlank}
}

// onePass looks at each in turn and does what may be done, as a walk does.
func onePass(h *host.Host, most plan.Risk, rs ...plan.Resource) error {
	ctx := plan.WithGrant(plan.WithAllowed(context.Background(), most), plan.Grant{IfBlank: true})
	for _, r := range rs {
		for round := 0; ; round++ {
			changes, err := r.Check(ctx, h)
			if err != nil {
				return fmt.Errorf("%s: %w", r.ID(), err)
			}
			if len(changes) == 0 {
				break
			}
			if round == 3 {
				return fmt.Errorf("%s: still to do: %s", r.ID(), changes[0].Say)
			}
			for _, c := range changes {
				if c.Risk > most || c.Risk == plan.Nothing {
					return fmt.Errorf("%s: %s (%s) may not be done", r.ID(), c.Say, c.Risk)
				}
				if err := c.Do(ctx); err != nil {
					return fmt.Errorf("%s: %s: %w", r.ID(), c.Say, err)
				}
			}
		}
	}
	return nil
}

// layers is a world, what is wanted of it, and what must be there in the end.
type layers struct {
	name string
	most plan.Risk
	make func(*testing.T) *world
	want []plan.Resource
	ends string // of the top one: its node, and whether it can be written to
	ran  string // the tools in order, where nothing is killed
}

func layerCases() []layers {
	array, group, mysql := raid10(), groupOn(raid10()), mysqlOn(raid10())
	growing, growths := grown()
	blank := func(t *testing.T) *world { return newWorld(t, four...) }
	made := func(t *testing.T) *world { // on an earlier boot
		w := newWorld(t, four...)
		if err := onePass(w.Host(), plan.Destroys, array, group, mysql); err != nil {
			t.Fatal(err)
		}
		w.reboot()
		w.ran = nil
		return w
	}
	return []layers{
		{"create an array", plan.Destroys, blank, []plan.Resource{array}, "/dev/md127", "mdadm --create"},
		{"create all", plan.Destroys, blank, []plan.Resource{array, group, mysql}, "/dev/dm-1", "mdadm --create, pvcreate, vgcreate, lvcreate"},
		{"end a creation that was cut short", plan.Destroys, func(t *testing.T) *world {
			w := newWorld(t, four...)
			w.tear = 2
			if err := onePass(w.Host(), plan.Destroys, array); err == nil {
				t.Fatal("the cut made no trouble")
			}
			w.reboot()
			w.tear, w.ran = 0, nil
			w.assembled("md126", "inactive", w.disks[four[0]], w.disks[four[1]]) // by udev
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1", "mdadm --stop, mdadm --create, pvcreate, vgcreate, lvcreate"},
		{"end a group that was cut short", plan.Destroys, func(t *testing.T) *world {
			w := newWorld(t, four...)
			w.cut = "pvcreate"
			if err := onePass(w.Host(), plan.Destroys, array, group); err == nil {
				t.Fatal("the cut made no trouble")
			}
			w.cut, w.ran = "", nil
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1", "pvcreate, vgcreate, lvcreate"},
		{"assemble", plan.Disrupts, made, []plan.Resource{array, group, mysql}, "/dev/dm-1", "mdadm --assemble, lvchange"},
		{"udev was first", plan.Disrupts, func(t *testing.T) *world {
			w := made(t)
			w.assembled("md125", "read-auto", w.disks[four[0]], w.disks[four[1]], w.disks[four[2]], w.disks[four[3]])
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1", "lvchange"},
		{"one is missing", plan.Disrupts, func(t *testing.T) *world {
			w := made(t)
			w.detach(four[1])
			w.assembled("md125", "inactive", w.disks[four[0]], w.disks[four[2]]) // by udev, which waits for more
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1 ro", "mdadm --stop, mdadm --assemble, lvchange"},
		{"one was left behind", plan.Disrupts, func(t *testing.T) *world {
			w := made(t)
			for _, id := range four[1:] {
				m := w.super[w.disks[id]]
				m.Events += 2
				w.super[w.disks[id]] = m
			}
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1 ro", "mdadm --assemble, lvchange"},
		{"others were first with a degraded one", plan.Disrupts, func(t *testing.T) *world {
			w := made(t)
			w.detach(four[1])
			w.assembled("md125", "clean", w.disks[four[0]], w.disks[four[2]], w.disks[four[3]])
			return w
		}, []plan.Resource{array, group, mysql}, "/dev/dm-1 ro", "mdadm --readonly, lvchange"},
		{"volumes were enlarged", plan.Disrupts, enlarged, slices.Concat(growing, growths, growing[2:]), "/dev/dm-1", "mdadm --grow, pvresize, lvextend"},
		{"and not yet written to", plan.Disrupts, func(t *testing.T) *world {
			w := enlarged(t)
			w.reboot()
			return w
		}, slices.Concat(growing, growths, growing[2:]), "/dev/dm-1", "mdadm --assemble, lvchange, mdadm --readwrite, mdadm --grow, pvresize, lvextend"},
	}
}

// Check, Do, and Check is empty, in one pass; a second one runs nothing.
func TestEveryLayer(t *testing.T) {
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			w := c.make(t)
			w.so(t, c)
			if got := w.tools(); got != c.ran {
				t.Errorf("ran %q, want %q", got, c.ran)
			}
			if d := halfDone(w); d != "" {
				t.Errorf("an intent is not ended: %s", d)
			}
			w.ran = nil
			w.so(t, c)
			if got := w.tools(); got != "" {
				t.Errorf("a second pass ran %q", got)
			}
			for _, r := range c.want {
				if !r.(plan.Liver).Live() || r.(plan.Describer).Describe() == "" {
					t.Errorf("%s is not live, or does not say what it wants", r.ID())
				}
				if _, err := r.Check(t.Context(), w.Offline()); !errors.Is(err, host.ErrOffline) {
					t.Errorf("%s under another root: %v", r.ID(), err)
				}
			}
		})
	}
}

// Killed before and after each tool and each note, and the power cut there as
// well: the next pass ends it. Looks are no such points, and what is within a
// write is package host's own matter.
func TestEveryLayerKilledAnywhere(t *testing.T) {
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // most of the time goes into waiting for the disk
			w := c.make(t)
			w.Forget()
			w.so(t, c)
			killed := 0
			for n, point := range w.Points() {
				between := strings.Contains(point, four[1]) || strings.Contains(point, four[2]) // the first and the last of one note are enough
				if !strings.HasPrefix(point, "unit:") && !strings.HasSuffix(point, " rename") || between {
					continue
				}
				killed++
				w := c.make(t)
				if !w.Kill(n+1, func(h *host.Host) { _ = onePass(h, c.most, c.want...) }) {
					break // the second look at what is there was one
				}
				if n%2 == 0 {
					w.reboot()
				}
				if w.so(t, c); t.Failed() {
					t.Fatalf("killed at %q, the power cut: %v", point, n%2 == 0)
				}
			}
			if killed < 4 {
				t.Errorf("only %d points to die at", killed)
			}
		})
	}
}

// so runs a pass, and holds the world to what must be there after it.
func (w *world) so(t *testing.T, c layers) {
	t.Helper()
	if err := onePass(w.Host(), c.most, c.want...); err != nil {
		t.Errorf("%v; ran %q", err, w.ran)
		return
	}
	top := c.want[len(c.want)-1].(Device)
	node, err := top.Node(t.Context(), w.Host())
	if err == nil && strings.HasPrefix(node, "/dev/") {
		var ro bool
		if ro, err = readOnly(w.Host(), strings.TrimPrefix(node, "/dev/")); ro {
			node += " ro"
		}
	}
	// LVM is told so as well: it may not write to what it lies upon.
	if v := w.lvs["db/mysql"]; v != nil && v.readOnly != strings.HasSuffix(c.ends, " ro") {
		t.Errorf("LVM has it read-only: %v", v.readOnly)
	}
	want := c.ends
	if strings.HasPrefix(node, "/dev/md") {
		want = strings.Replace(want, "md127", node[len("/dev/"):][:5], 1)
	}
	if err != nil || node != want {
		t.Errorf("%s is %q (%v), want %q", top.ID(), node, err, want)
	}
}

// tools are what ran, in order, without their arguments.
func (w *world) tools() string {
	var names []string
	for _, r := range w.ran {
		words := strings.Fields(r)
		if words[0] == "mdadm" {
			words[0] += " " + words[1]
		}
		names = append(names, words[0])
	}
	return strings.Join(names, ", ")
}

// halfDone are the intents that are not ended.
func halfDone(w *world) string {
	var half []string
	for _, id := range four {
		f, err := storage.intentsOf(w.Host(), id)
		if err != nil {
			w.t.Error(err)
		}
		for _, i := range f.Intents {
			if i.half() {
				half = append(half, i.For)
			}
		}
	}
	slices.Sort(half)
	return strings.Join(slices.Compact(half), ", ")
}
