package block

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
)

// array puts what the kernel says of one; "" is an attribute that it has not.
func (s sys) array(kernel, state, level, devices, degraded, action, completed string, members ...string) {
	s.upon(kernel, members...)
	md := "/sys/devices/virtual/block/" + kernel + "/md/"
	for name, value := range map[string]string{"array_state": state, "degraded": degraded, "sync_action": action, "sync_completed": completed} {
		if value != "" {
			s[md+name] = value + "\n"
		}
	}
	// Those of an inactive array are there, and empty.
	s[md+"level"], s[md+"raid_disks"] = level+"\n", devices
	for _, m := range members {
		s[md+"dev-"+m+"/state"] = "in_sync\n"
	}
}

func TestArrays(t *testing.T) {
	four := []string{"nvme1n1", "nvme2n1", "nvme3n1", "nvme4n1"}
	for file, c := range map[string]struct {
		put     func(sys)
		examine string // of the first member, where mdadm --detail does not say enough
		want    Array
	}{
		"raid10": {put: func(s sys) { s.array("md127", "clean", "raid10", "4", "0", "idle", "none", four...) },
			want: Array{UUID: "4f3b0c1d:11112222:33334444:55556666", Name: "data", Level: "raid10", State: "clean", Devices: 4, Members: four}},
		"raid10-faulty": {put: func(s sys) {
			s.array("md127", "clean", "raid10", "4", "1", "idle", "none", four...)
			s["/sys/devices/virtual/block/md127/md/dev-nvme4n1/state"] = "faulty,write_error\n"
		}, want: Array{UUID: "4f3b0c1d:11112222:33334444:55556666", Name: "data", Level: "raid10", State: "clean", Devices: 4, Degraded: 1,
			Members: four[:3], Faulty: four[3:]}},
		"raid10-degraded": {put: func(s sys) { s.array("md127", "readonly", "raid10", "4", "1", "frozen", "none", four[:3]...) },
			want: Array{UUID: "4f3b0c1d:11112222:33334444:55556666", Name: "data", Level: "raid10", State: "readonly", Devices: 4, Degraded: 1, Members: four[:3]}},
		"raid10-inactive": {put: func(s sys) { s.array("md127", "inactive", "", "", "", "", "", four[:2]...) }, examine: "raid10",
			want: Array{UUID: "4f3b0c1d:11112222:33334444:55556666", Name: "data", Level: "raid10", State: "inactive", Devices: 4, Degraded: 2, Members: four[:2]}},
		"raid0-foreign": {put: func(s sys) { s.array("md127", "clean", "raid0", "2", "", "", "", four[:2]...) },
			want: Array{UUID: "c72e6f6b:66448f25:2051b057:0d562c4e", Name: "data", Level: "raid0", State: "clean", Devices: 2, Members: four[:2]}},
		"raid0-foreign-inactive": {put: func(s sys) { s.array("md127", "inactive", "", "", "", "", "", four[:1]...) }, examine: "raid0-foreign",
			want: Array{UUID: "c72e6f6b:66448f25:2051b057:0d562c4e", Name: "data", Level: "raid0", State: "inactive", Devices: 2, Degraded: 1, Members: four[:1]}},
		"raid1-spare-0.90": {put: func(s sys) {
			s.array("md127", "clean", "raid1", "2", "0", "resync", "65536 / 130944", four[:3]...)
		}, want: Array{UUID: "70a757f1:75d0e134:0002fec5:13a5c7d1", Level: "raid1", State: "clean", Devices: 2, Members: four[:3], Sync: "resync 50.0%"}},
		"raid1-spare-1.2": {put: func(s sys) { s.array("md127", "read-auto", "raid1", "2", "0", "recover", "delayed", four[:3]...) },
			want: Array{UUID: "4706977e:e9927170:9ea3a74a:d536d482", Name: "m1.2", Level: "raid1", State: "read-auto", Devices: 2, Members: four[:3], Sync: "recover"}},
		"ddf": {put: func(s sys) { s.array("md127", "inactive", "", "", "", "", "", four[:2]...) },
			want: Array{UUID: "4c58af76:42860297:840479da:a3fc158e", Level: "container", State: "inactive", Members: four[:2]}},
	} {
		t.Run(file, func(t *testing.T) {
			s := newSys()
			for i, k := range four {
				s.ebs(k, "vol0aaaaaaaaaaaaaaa"+string(rune('1'+i)))
			}
			c.put(s)
			m := s.machine(t)
			say(m, host.Output{Stdout: []byte(testdata(t, "mdadm-detail/"+file))}, "mdadm", "--detail", "--export", "/dev/md127")
			if c.examine != "" {
				say(m, host.Output{Stdout: []byte(testdata(t, "mdadm-examine/"+c.examine))}, "mdadm", "--examine", "--export", "/dev/nvme1n1")
			}
			got, err := Arrays(t.Context(), m.Host())
			c.want.Kernel = "md127"
			if diff := cmp.Diff([]Array{c.want}, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
			if running := c.want.State != "inactive"; got[0].Running() != running {
				t.Errorf("running: %v", !running)
			}
		})
	}
}

// One that cannot be looked at is named, and the others are there.
func TestUnreadableArray(t *testing.T) {
	s := newSys()
	for _, k := range []string{"nvme1n1", "nvme2n1"} {
		s.ebs(k, "vol0aaaaaaaaaaaaaaa1")
	}
	s.array("md126", "clean", "raid0", "1", "", "", "", "nvme1n1")
	s.array("md127", "clean", "raid0", "1", "", "", "", "nvme2n1")
	s.array("md3", "clear", "", "", "", "", "") // what a stopped one leaves is none
	m := s.machine(t)
	m.Command([]string{"mdadm", "--detail", "--export", "/dev/md126"}, host.Output{Code: -1}, host.ErrAbandoned)
	say(m, host.Output{Stdout: []byte("MD_UUID=1:2:3:4\n")}, "mdadm", "--detail", "--export", "/dev/md127")
	got, err := Arrays(t.Context(), m.Host())
	if !errors.Is(err, host.ErrAbandoned) || !strings.Contains(err.Error(), "md126") {
		t.Errorf("the error is %v", err)
	}
	if len(got) != 1 || got[0].Kernel != "md127" {
		t.Errorf("the others are %v", got)
	}
}

func TestExamine(t *testing.T) {
	m := newSys().machine(t)
	for node, out := range map[string]host.Output{
		"/dev/a": {Stdout: []byte(testdata(t, "mdadm-examine/raid10"))},
		"/dev/b": {Code: 1, Stderr: []byte("mdadm: No md superblock detected on /dev/b.\n")},
		"/dev/c": {Code: 1, Stderr: []byte("mdadm: cannot open /dev/c: No such file or directory\n")},
		"/dev/d": {}, // a partition table, of which --export says nothing
	} {
		say(m, out, "mdadm", "--examine", "--export", node)
	}
	for node, want := range map[string]string{"/dev/a": "data", "/dev/b": "", "/dev/d": ""} {
		got, ok, err := Examine(t.Context(), m.Host(), node)
		if got.Name != want || ok != (want != "") || err != nil {
			t.Errorf("%s: %+v, %v, %v", node, got, ok, err)
		}
	}
	if _, ok, err := Examine(t.Context(), m.Host(), "/dev/c"); ok || err == nil || !strings.Contains(err.Error(), "cannot open /dev/c") {
		t.Errorf("of one that cannot be opened: %v, %v", ok, err)
	}
}

// Several are told apart by one answer where all say the same, and else each by
// its own.
func TestExamineAll(t *testing.T) {
	const a, b = "/dev/a", "/dev/b"
	raid10, other := testdata(t, "mdadm-examine/raid10"), strings.Replace(testdata(t, "mdadm-examine/raid10"), "MD_DEV_UUID=6e5d0ba8", "MD_DEV_UUID=00000002", 1)
	none := func(node string) string { return "mdadm: No md superblock detected on " + node + ".\n" }
	without := func(node string) *host.Output { return &host.Output{Code: 1, Stderr: []byte(none(node))} }
	for name, c := range map[string]struct {
		both        host.Output
		first, last *host.Output // nil: not asked for by itself
		devices     [2]string
	}{
		"none":              {host.Output{Code: 1, Stderr: []byte(none(a) + none(b))}, nil, nil, [2]string{}},
		"all":               {*said(raid10 + other), nil, nil, [2]string{"6e5d0ba8", "00000002"}},
		"the first alone":   {host.Output{Code: 1, Stdout: []byte(raid10), Stderr: []byte(none(b))}, said(raid10), without(b), [2]string{"6e5d0ba8", ""}},
		"the last alone":    {host.Output{Code: 1, Stdout: []byte(raid10), Stderr: []byte(none(a))}, without(a), said(raid10), [2]string{"", "6e5d0ba8"}},
		"a partition table": {*said(raid10), said(raid10), &host.Output{}, [2]string{"6e5d0ba8", ""}},
		"one half said":     {*said(raid10 + "MD_LEVEL=raid10\n"), said(raid10), said(other), [2]string{"6e5d0ba8", "00000002"}},
		"of old metadata":   {*said(testdata(t, "mdadm-examine/raid1-0.90") + testdata(t, "mdadm-examine/raid1-0.90")), said(raid10), said(other), [2]string{"6e5d0ba8", "00000002"}},
		"one is not opened": {host.Output{Code: 1, Stderr: []byte("mdadm: cannot open /dev/a: busy\n" + none(b))}, without(a), without(b), [2]string{}},
		"one is not named":  {host.Output{Code: 1, Stderr: []byte(none(a))}, without(a), said(raid10), [2]string{"", "6e5d0ba8"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSys().machine(t)
			say(m, c.both, "mdadm", "--examine", "--export", a, b)
			if c.first != nil {
				say(m, *c.first, "mdadm", "--examine", "--export", a)
				say(m, *c.last, "mdadm", "--examine", "--export", b)
			}
			members, has, errs := ExamineAll(t.Context(), m.Host(), []string{a, b})
			for i, want := range c.devices {
				if errs[i] != nil || has[i] != (want != "") || !strings.HasPrefix(members[i].Device, want) || members[i].UUID == "" == has[i] {
					t.Errorf("device %d: %v, %v, %+v", i, errs[i], has[i], members[i])
				}
			}
		})
	}
}
