package roles

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/block"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
)

const (
	rootVolume = "vol-00000000"
	volumeA    = "vol-0000000a"
	volumeB    = "vol-0000000b"
)

// withDisks gives the machine its root's disk, two volumes as sdf and sdg, and
// instance store as sdx; the API knows the volumes as well.
func withDisks(change ...func(disks []block.Disk, volumes map[string]facts.EBSVolume)) func(*facts.Facts) {
	return func(f *facts.Facts) {
		f.Disks = []block.Disk{
			{Kernel: "nvme0n1", Kind: block.EBS, Volume: rootVolume, Name: "xvda", Root: true},
			{Kernel: "nvme2n1", Kind: block.EBS, Volume: volumeA, Name: "sdf"},
			{Kernel: "nvme1n1", Kind: block.EBS, Volume: volumeB, Name: "sdg"},
			{Kernel: "nvme3n1", Kind: block.InstanceStore, Name: "sdx"},
		}
		volumes := map[string]facts.EBSVolume{
			rootVolume: {Tags: map[string]string{"use": "data"}, Device: "/dev/xvda", Snapshot: "snap-1"},
			volumeA:    {Tags: map[string]string{"use": "data", "n": "1"}, Device: "/dev/sdf"},
			volumeB:    {Tags: map[string]string{"use": "data", "n": "2"}, Device: "/dev/sdg"},
		}
		f.Instance.BlockDevices = facts.Known(map[string]string{"root": "/dev/xvda"})
		for _, c := range change {
			c(f.Disks, volumes)
		}
		f.Volumes = facts.Known(volumes)
	}
}

// noAPI takes the API's answer away.
func noAPI(f *facts.Facts) {
	f.Volumes = facts.Unknown[map[string]facts.EBSVolume](facts.Forbidden, "")
}

func TestVolumesAreChosen(t *testing.T) {
	for name, c := range map[string]struct {
		set    string
		change []func(*facts.Facts)
		want   []string
		say    string // in what is withheld, or lacks
	}{
		"by a tag, the root never":          {"{tags: {use: data}, count: 2}", nil, []string{volumeA, volumeB}, ""},
		"by all tags":                       {"{tags: {use: data, n: '2'}, count: 1}", nil, []string{volumeB}, ""},
		"a tag's value whole":               {"{tags: {use: dat}, count: 1}", nil, nil, "0 attached volumes have tags use=dat"},
		"fewer than the count":              {"{tags: {use: data}, count: 3}", nil, []string{volumeA, volumeB}, "2 attached volumes have tags use=data"},
		"more than the count":               {"{tags: {use: data}, count: 1}", nil, nil, "withheld: 2 volumes have tags use=data, and 1 are wanted: " + volumeA + " " + volumeB},
		"no answer":                         {"{tags: {use: data}, count: 2}", []func(*facts.Facts){noAPI}, nil, "(forbidden); the instance's role needs the permission ec2:DescribeVolumes"},
		"by id, without an answer":          {"{ids: [" + volumeB + ", " + volumeA + "]}", []func(*facts.Facts){noAPI}, []string{volumeA, volumeB}, ""},
		"by an id that is not here":         {"{ids: [vol-0000000c]}", nil, []string{"vol-0000000c"}, ""},
		"the root by its id":                {"{ids: [" + rootVolume + "]}", nil, nil, "withheld: " + rootVolume + " is the disk of the running system"},
		"by name, without an answer":        {"{devices: [xvdg]}", []func(*facts.Facts){noAPI}, []string{volumeB}, ""},
		"by the API's name alone":           {"{devices: [sdg]}", []func(*facts.Facts){unnamed}, []string{volumeB}, ""},
		"the root by its name":              {"{devices: [/dev/sda]}", nil, nil, "withheld: sda (" + rootVolume + ") is the disk of the running system"},
		"the root that no disk tells of":    {"{devices: [/dev/sda]}", []func(*facts.Facts){func(f *facts.Facts) { f.Disks = nil }}, nil, "withheld: sda (" + rootVolume + ")"},
		"a name that is not here":           {"{devices: [sdf, sdp]}", nil, []string{volumeA}, "nothing is attached as sdp"},
		"two of one name":                   {"{devices: [sdf]}", []func(*facts.Facts){withDisks(func(d []block.Disk, _ map[string]facts.EBSVolume) { d[2].Name = "/dev/xvdf" })}, nil, "withheld: sdf is the name of several volumes: " + volumeA + " " + volumeB},
		"shared, by a tag":                  {"{tags: {use: data}, count: 2}", []func(*facts.Facts){attachedTwice}, []string{volumeA}, "1 attached volumes have tags use=data; left out, as other instances have it attached too: " + volumeB},
		"shared, by its id":                 {"{ids: [" + volumeB + "]}", []func(*facts.Facts){attachedTwice}, nil, "withheld: " + volumeB + " is attached to another instance as well"},
		"instance store":                    {"{devices: [sdx]}", nil, nil, "withheld: sdx is instance store"},
		"instance store, all of it":         {"{instance_store: 1}", []func(*facts.Facts){noAPI, stored("AWS0000A")}, []string{"AWS0000A"}, ""},
		"more instance store than is said":  {"{instance_store: 1}", []func(*facts.Facts){stored("AWS0000A", "AWS0000B")}, nil, "withheld: the instance has 2 disks of its own, and 1 are wanted: AWS0000A AWS0000B"},
		"less instance store than is said":  {"{instance_store: 2}", []func(*facts.Facts){stored("AWS0000A")}, []string{"AWS0000A"}, "the instance has 1 disks of its own"},
		"instance store of no number":       {"{instance_store: 1}", nil, nil, "the instance has 1 disks of its own, 1 of which do not say their serial number"},
		"a system on instance store":        {"{instance_store: 1}", []func(*facts.Facts){stored("AWS0000A"), func(f *facts.Facts) { f.Disks[3].Root = true }}, nil, "withheld: the running system lies on instance store (AWS0000A)"},
		"instance store of a volume's name": {"{devices: [sdf]}", []func(*facts.Facts){stored("AWS0000A"), func(f *facts.Facts) { f.Disks[3].Name = "sdf" }}, []string{volumeA}, ""},
		"a disk that does not say its name": {"{devices: [sdf]}", []func(*facts.Facts){noAPI, unnamed}, nil, "nothing is attached as sdf"},
	} {
		t.Run(name, func(t *testing.T) {
			f := machine(append([]func(*facts.Facts){says("role=x"), withDisks()}, c.change...)...)
			steps := planOf(t, f, role("x", "role: x\nstorage: {volumes: {s: "+c.set+"}}\n"))
			step := stepOf(t, steps, "volumes:s")
			v, chosen := step.Resource.(storage.Volumes)
			if d := cmp.Diff(c.want, v.IDs); d != "" || step.Required || step.Within != time.Minute {
				t.Errorf("%+v %s", step, d)
			}
			if chosen && (v.Lacks == "") != (len(v.IDs) == v.Count) {
				t.Errorf("%d of %d, and lacks %q", len(v.IDs), v.Count, v.Lacks)
			}
			contains(t, v.Lacks+step.Resource.(plan.Describer).Describe(), c.say)
		})
	}
}

// stored gives the instance disks of its own of these serial numbers.
func stored(serials ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		f.Disks = f.Disks[:3]
		for _, s := range serials {
			f.Disks = append(f.Disks, block.Disk{Kernel: "nvme9n1", Kind: block.InstanceStore, Volume: s, Name: "sdx"})
		}
	}
}

// attachedTwice attaches the second volume to another instance as well.
func attachedTwice(f *facts.Facts) {
	v := f.Volumes.Or(nil)[volumeB]
	v.Attachments = 2
	f.Volumes.Or(nil)[volumeB] = v
}

func unnamed(f *facts.Facts) {
	for i := range f.Disks {
		f.Disks[i].Name = ""
	}
}

// Which of two sets a volume belongs to would be a guess. That holds back what
// lies on the two, and nothing else: whoever tags volumes cannot keep a machine
// from its names.
func TestAVolumeOfTwoSetsHoldsBackItsOwn(t *testing.T) {
	const text = `role: x
storage:
  volumes: {a: {tags: {use: data}, count: 2}, b: {devices: [sdg]}, c: {ids: [vol-0000000c]}}
  raid: {a: {level: 1, of: a, create: if-blank}}
  mounts:
    - {path: /a, from: raid/a, type: xfs, create: if-blank}
    - {path: /b, from: b, type: xfs, create: if-blank}
    - {path: /c, from: c, type: xfs, create: if-blank}
`
	steps := planOf(t, machine(says("role=x", "hostname=db01"), withDisks()), role("x", text))
	for id, other := range map[string]string{"volumes:a": "volumes/b", "volumes:b": "volumes/a"} {
		contains(t, stepOf(t, steps, id).Resource.(plan.Describer).Describe(), "withheld: "+volumeB+" is in "+other+" as well")
	}
	raid := stepOf(t, steps, "raid:a")
	if raid.Resource.(storage.MDArray).Create != storage.CreateNever || !slices.Equal(raid.Needs, []string{"volumes:a"}) {
		t.Errorf("an array over volumes that are not its own: %+v", raid)
	}
	if s := stepOf(t, steps, "mount:/b"); !slices.Equal(s.Needs, []string{"volumes:b"}) {
		t.Errorf("%+v", s)
	}
	if s := stepOf(t, steps, "filesystem:volume:vol-0000000c"); s.Resource.(storage.FileSystem).Create != storage.CreateIfBlank {
		t.Errorf("%+v", s)
	}
	stepOf(t, steps, "hostname")
}

// An array comes up without a volume, a group is not made on fewer than all,
// and nothing begins where no volume is known.
func TestLayersWaitForTheirVolumes(t *testing.T) {
	const text = `role: x
storage:
  volumes: {r: {devices: [sdf, sdp]}, g: {devices: [sdg, sdq]}, none: {devices: [sdr, sds]}, whole: {ids: [vol-0000000c]}}
  raid: {r: {level: 1, of: r, create: if-blank}, none: {level: 1, of: none}}
  lvm:
    g: {of: g, create: if-blank, volumes: {v: 1GiB}}
    whole: {of: whole, create: if-blank, volumes: {v: 1GiB}}
`
	steps := planOf(t, machine(says("role=x"), withDisks()), role("x", text))
	for id, want := range map[string]plan.Step{
		"raid:r":    {After: []string{"volumes:r"}},
		"raid:none": {Needs: []string{"volumes:none"}},
		"lvm:g":     {After: []string{"volumes:g"}},
		"lvm:g/v":   {Needs: []string{"lvm:g"}},
	} {
		s := stepOf(t, steps, id)
		if !slices.Equal(s.Needs, want.Needs) || !slices.Equal(s.After, want.After) || s.Within != 2*time.Minute || !s.Required {
			t.Errorf("%s needs %v after %v within %s", id, s.Needs, s.After, s.Within)
		}
	}
	r := stepOf(t, steps, "raid:r").Resource.(storage.MDArray)
	if r.Count != 2 || !slices.Equal(r.Over, []string{volumeA}) {
		t.Errorf("%+v", r)
	}
	for id, want := range map[string]storage.Consent{"lvm:g": storage.CreateNever, "lvm:whole": storage.CreateIfBlank} {
		if g := stepOf(t, steps, id).Resource.(storage.VolumeGroup); g.Create != want || len(g.Over) != 1 {
			t.Errorf("%s: %+v", id, g)
		}
	}
}

// What something beside the device says of a volume: it was made from a
// snapshot, or made for this instance.
func TestWitnessesOfAVolume(t *testing.T) {
	f := machine(says("role=x"), withDisks(func(_ []block.Disk, v map[string]facts.EBSVolume) {
		a, b := v[volumeA], v[volumeB]
		a.Snapshot = "snap-2"
		b.Tags[witnessTag] = "i-0123456789abcdef0"
		v[volumeA], v[volumeB] = a, b
		v["vol-0000000c"] = facts.EBSVolume{Device: "/dev/sdh", Tags: map[string]string{witnessTag: "i-0ffffffffffffffff"}}
	}))
	const text = "role: x\nstorage:\n  volumes: {s: {devices: [sdf, sdg, sdh]}}\n  raid: {r: {level: 5, of: s, create: if-blank}}\n"
	r := stepOf(t, planOf(t, f, role("x", text)), "raid:r").Resource.(storage.MDArray)
	want := storage.Common{Folder: "/var/lib/reveille/instances/i-0123456789abcdef0/storage",
		Witness: "reveille:instance=i-0123456789abcdef0", Witnessed: map[string]bool{volumeB: true}, Snapshot: map[string]bool{volumeA: true}}
	if d := cmp.Diff(want, r.Common); d != "" {
		t.Error(d)
	}
	f.Instance.ID = facts.Unknown[string](facts.TimedOut, "")
	s := stepOf(t, planOf(t, f, role("x", text)), "raid:r")
	if r := s.Resource.(storage.MDArray); r.Create != storage.CreateNever || r.Folder != "" || len(r.Witnessed) > 0 {
		t.Errorf("%+v", r)
	}
	contains(t, s.Why, "nothing is created while the instance's id is unknown")
}

// A volume is new that was created after the instance was launched, where both
// times are known and the instance's own.
func TestAVolumeYoungerThanTheInstance(t *testing.T) {
	launched := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		created, launched time.Time
		of                string
		want              bool
	}{
		"with it":                        {launched, launched, "i-0123456789abcdef0", true},
		"after it":                       {launched.Add(time.Hour), launched, "i-0123456789abcdef0", true},
		"before it":                      {launched.Add(-time.Second), launched, "i-0123456789abcdef0", false},
		"nobody knows when":              {time.Time{}, launched, "i-0123456789abcdef0", false},
		"nobody knows when it began":     {launched, time.Time{}, "i-0123456789abcdef0", false},
		"nobody knows either":            {time.Time{}, time.Time{}, "i-0123456789abcdef0", false},
		"the launch of another instance": {launched, launched, "i-0ffffffffffffffff", false},
	} {
		f := machine(says("role=x"), withDisks(func(_ []block.Disk, v map[string]facts.EBSVolume) {
			a := v[volumeA]
			a.Created = c.created
			v[volumeA] = a
		}))
		f.Instance.Document = facts.Known(facts.Document{InstanceID: c.of, PendingTime: c.launched})
		r := stepOf(t, planOf(t, f, role("x", "role: x\nstorage:\n  volumes: {s: {ids: ["+volumeA+", "+volumeB+"]}}\n  raid: {r: {level: 1, of: s}}\n")), "raid:r").Resource.(storage.MDArray)
		if r.Witnessed[volumeA] != c.want || r.Witnessed[volumeB] {
			t.Errorf("%s: %v", name, r.Witnessed)
		}
	}
}

// Programs of the role's start when all is mounted, and a file keeps them off
// the root disk in every other case.
func TestTheRolesProgramsWaitForItsMounts(t *testing.T) {
	const text = `role: x
storage:
  volumes: {a: {devices: [sdf]}, b: {devices: [sdg]}}
  mounts: [{path: /data/b, from: b, type: ext4}, {path: /data, from: a, type: xfs}]
scripts: {startup: [/opt/prepare]}
services: [db.service, db@1.timer]
ready: [{file: /data/b/up}]
`
	f := machine(says("role=x"), withDisks())
	steps := planOf(t, f, role("x", text))
	mounts := []string{"mount:/data/b", "mount:/data"}
	for _, unit := range []string{"db.service", "db@1.timer"} {
		guard := "file:/etc/systemd/system/" + unit + ".d/50-reveille.conf"
		s := stepOf(t, steps, "service:"+unit)
		for _, need := range append(slices.Clone(mounts), guard) {
			if !slices.Contains(s.Needs, need) {
				t.Errorf("%s does not need %s", s.ID(), need)
			}
		}
		if !s.Resource.(resource.Service).Reload {
			t.Errorf("systemd does not read the drop-in of %s before it starts", unit)
		}
		g := stepOf(t, steps, guard)
		contains(t, string(g.Resource.(resource.File).Content), "[Unit]\nAssertPathIsMountPoint=/data/b\nRequiresMountsFor=/data/b\nAssertPathIsMountPoint=/data\nRequiresMountsFor=/data\n")
		if g.Concern != "storage" || g.Resource.(resource.File).Concern != "storage" || !g.Required || !g.Resource.(resource.File).Reload {
			t.Errorf("%+v", g)
		}
	}
	if s := stepOf(t, steps, "mount:/data/b"); !slices.Contains(s.Needs, "mount:/data") || !s.Lasting || s.Within != 12*time.Minute {
		t.Errorf("a mount in another comes after it, and one that is up stays: %+v", s)
	}
	if s := stepOf(t, steps, "script:/opt/prepare"); !slices.Contains(s.Needs, mounts[0]) || !slices.Contains(s.Needs, mounts[1]) {
		t.Errorf("%+v", s)
	}
	var left []string
	for _, s := range steps.Offline() {
		if s.Concern == "storage" {
			left = append(left, s.ID())
		}
	}
	if len(left) != 2 || !strings.HasPrefix(left[0], "file:") || !strings.HasPrefix(left[1], "file:") {
		t.Errorf("asked of a machine in a folder: %v", left)
	}
	alone := planOf(t, f, role("x", strings.ReplaceAll(strings.ReplaceAll(text, "services: [db.service, db@1.timer]\n", ""), "scripts: {startup: [/opt/prepare]}\n", "")))
	if s := stepOf(t, alone, "ready:file:/data/b/up"); !slices.Equal(s.Needs, mounts) {
		t.Errorf("how long a check may take is counted from when all is mounted: %+v", s)
	}
}
