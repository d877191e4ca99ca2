package block

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
)

const mib = 1 << 20

func TestMembers(t *testing.T) {
	for file, want := range map[string]Member{
		"raid10": {UUID: "4f3b0c1d:11112222:33334444:55556666", Name: "data", Level: "raid10", Devices: 4, Events: 14,
			Device: "6e5d0ba8:09e8f94c:b3e71305:e3eb326c"},
		"raid0-foreign": {UUID: "c72e6f6b:66448f25:2051b057:0d562c4e", Name: "data", Level: "raid0", Devices: 2,
			Device: "4c50f3a2:adadc3c5:a0216cc3:bc9ca463"},
		"raid1-0.90":  {UUID: "70a757f1:75d0e134:0002fec5:13a5c7d1", Level: "raid1", Devices: 2, Events: 18},
		"raid1-1.0":   {UUID: "66cdfdf7:1b5199a4:1849bb47:b1028a2e", Name: "m1.0", Level: "raid1", Devices: 2, Events: 18, Device: "648832bb:daff6595:1172d8c0:cc620379"},
		"raid1-1.1":   {UUID: "460d1e9a:177f34b7:22bc9c75:680cb4e5", Name: "m1.1", Level: "raid1", Devices: 2, Events: 17, Device: "cd2eb5af:7246594c:07e7dfd6:a5b3b49d"},
		"raid1-1.2":   {UUID: "4706977e:e9927170:9ea3a74a:d536d482", Name: "m1.2", Level: "raid1", Devices: 2, Events: 17, Device: "c5f5cfd1:e31eda07:6ef342ae:68c58a77"},
		"raid1-spare": {UUID: "4706977e:e9927170:9ea3a74a:d536d482", Name: "m1.2", Level: "raid1", Devices: 2, Events: 17, Device: "a1b62233:d333aa5f:bfa12f34:bf740bc3"},
		"ddf":         {UUID: "4c58af76:42860297:840479da:a3fc158e", Level: "container", Devices: 2},
	} {
		got, err := parseMember(testdata(t, "mdadm-examine/"+file))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", file, err, diff)
		}
	}
	// A copy of a member says the very same.
	if a, b := testdata(t, "mdadm-examine/raid1-clone"), testdata(t, "mdadm-examine/raid1-clone-of"); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	for _, bad := range []string{"MD_LEVEL=raid10\n", "MD_UUID=1:2:3:4\nMD_DEVICES=four\n", "MD_UUID=1:2:3:4\nMD_EVENTS=-1\n"} {
		if m, err := parseMember(bad); err == nil {
			t.Errorf("%q is %+v", bad, m)
		}
	}
}

func TestLVMReports(t *testing.T) {
	one := PV{"/dev/nvme1n1", "i3gr24-a1WH-z9fU-Nble-7rIB-oZ5E-IESKik", "main", 60 * mib}
	two := PV{"/dev/nvme2n1", "dZnJe4-IDSL-dUpo-0RgU-baMM-4b9o-sk6aeL", "main", 60 * mib}
	free := PV{"/dev/nvme3n1", "enKbfa-AKn4-KXTW-BXRO-21pn-gcl7-3he8t0", "", 64 * mib}
	orphan, lost := one, two
	orphan.Group, orphan.Size, lost.Node = "", 64*mib, ""
	vg := VG{Name: "main", UUID: "ZPVDv8-3ykw-cq9C-YXNL-DveK-whrD-a9STza", Size: 120 * mib, Free: 40 * mib, Extent: 4 * mib}
	partial, full := vg, vg
	partial.Missing, full.Free = 1, 16*mib
	db := LV{"main", "db", "gLpw4m-n3DL-Tu0K-ipgg-hPEV-UoGm-ZnICKL", 64 * mib, true}
	logs := LV{"main", "my-logs", "xE659a-Nul0-2cEp-RBMS-B8n0-Vbma-QHvkea", 16 * mib, false}
	pool := LV{"main", "pool", "Km26Y8-l3Ci-ky76-WPfo-Llza-Fdc2-gF0ihj", 16 * mib, true}
	snap := LV{"main", "snap", "z0qjqM-Swvi-uHDb-X9US-3gWr-TeYl-ddT76p", 8 * mib, true}
	for state, want := range map[string]LVM{
		"none":     {},
		"orphan":   {PVs: []PV{orphan}},
		"group":    {PVs: []PV{one, two, free}, VGs: []VG{vg}, LVs: []LV{db, logs}},
		"missing":  {PVs: []PV{one, lost, free}, VGs: []VG{partial}, LVs: []LV{db, logs}},
		"snapshot": {PVs: []PV{one, two}, VGs: []VG{full}, LVs: []LV{db, logs, pool, snap}},
	} {
		got, err := parseLVM([]byte(testdata(t, "lvm/"+state)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", state, err, diff)
		}
	}
	for _, bad := range []string{"", "{}", `{"report":null}`, "Volume group not found", `{"report":[{"pv":[{"pv_name":"/dev/x","pv_size":"64m"}]}]}`} {
		if l, err := parseLVM([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, l)
		}
	}
}

// Two groups of one name are two, a copy is known by LVM's warning alone, and
// what is damaged is no empty group.
func TestLVMBesideWhatIsNotOurs(t *testing.T) {
	two, err := parseLVM([]byte(testdata(t, "lvm/same-name")))
	if err != nil || len(two.VGs) != 2 || two.VGs[0].Name != two.VGs[1].Name || two.VGs[0].UUID == two.VGs[1].UUID {
		t.Errorf("%+v, %v", two, err)
	}
	nodes := []string{"/dev/nvme1n1", "/dev/nvme2n1", "/dev/nvme3n1"}
	looked := func(state string) (LVM, error) {
		m := newSys().machine(t)
		say(m, host.Output{Stdout: []byte(testdata(t, "lvm/"+state)), Stderr: []byte(testdata(t, "lvm-says/"+state))},
			append(append([]string{"lvm"}, report...), "--devices", strings.Join(nodes, ","))...)
		return Look(t.Context(), m.Host(), nodes)
	}
	got, err := looked("clone")
	want := []PV{{Node: "/dev/nvme3n1", UUID: "i3gr24-a1WH-z9fU-Nble-7rIB-oZ5E-IESKik"}}
	if diff := cmp.Diff(want, got.Copies); diff != "" || err != nil || len(got.PVs) != 2 {
		t.Errorf("%v, %+v\n%s", err, got.PVs, diff)
	}
	for _, file := range []string{"missing", "same-name", "damaged"} {
		if c := copies(testdata(t, "lvm-says/"+file)); len(c) > 0 {
			t.Errorf("%s: %v", file, c)
		}
	}
	if l, err := looked("damaged"); err == nil || !strings.Contains(err.Error(), "Checksum error on /dev/nvme3n1") {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err := Look(t.Context(), newSys().machine(t).Host(), nil); err != nil || len(l.PVs) > 0 {
		t.Errorf("of no device: %+v, %v", l, err)
	}
}

func TestContents(t *testing.T) {
	for file, want := range map[string]Content{
		"blank":          {},
		"partition":      {}, // it is told of its place alone
		"md-member":      {"linux_raid_member", "raid", "4f3b0c1d-1111-2222-3333-444455556666", "any:data"},
		"md-member-0.90": {"linux_raid_member", "raid", "70a757f1-75d0-e134-0002-fec513a5c7d1", ""},
		"ext4":           {"ext4", "filesystem", "f625d437-19ab-4189-ab13-6b2520a3abfe", "my data"},
		"xfs":            {"xfs", "filesystem", "37d8c02b-2984-4435-a07f-5617ec82e8c1", ""},
		"swap":           {"swap", "other", "9ecae2c0-151b-4588-8ae0-55ed737cd33a", "sw"},
		"luks":           {"crypto_LUKS", "crypto", "", ""},
		"gpt":            {"gpt", "parttable", "eecc0092-f39c-ba4a-8a6c-312f06340af0", ""},
		"dos":            {"dos", "parttable", "1c6164a9", ""},
	} {
		if diff := cmp.Diff(want, parseProbe(testdata(t, "blkid/"+file))); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

func TestSignatures(t *testing.T) {
	for file, want := range map[string][]signature{
		"blank":     {},
		"md-member": {{"0x1000", "linux_raid_member"}},
		"ext4":      {{"0x438", "ext4"}},
		"gpt":       {{"0x200", "gpt"}, {"0x3fffe00", "gpt"}, {"0x1fe", "PMBR"}},
	} {
		got, err := parseSignatures([]byte(testdata(t, "wipefs/"+file)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", file, err, diff)
		}
	}
	if got, err := parseSignatures([]byte("\n")); len(got) > 0 || err != nil {
		t.Errorf("silence is %v, %v", got, err)
	}
	for _, bad := range []string{"{}", "null", "offset type", `{"signatures":null}`} {
		if got, err := parseSignatures([]byte(bad)); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func TestMountinfo(t *testing.T) {
	s := newSys()
	s["/proc/self/mountinfo"] = testdata(t, "proc/mountinfo")
	mounts, err := Mounts(s.machine(t).Host())
	if err != nil || len(mounts) != strings.Count(testdata(t, "proc/mountinfo"), "\n") {
		t.Fatalf("%d mounts, %v", len(mounts), err)
	}
	last := mounts[len(mounts)-2:]
	want := []Mount{
		{Path: "/mnt/a b", Source: "/dev/nvme5n1", Major: 259, Minor: 6, Root: "/", Type: "xfs"},
		{Path: "/mnt/x", Source: "/dev/nvme5n1", Major: 259, Minor: 6, Root: "/", Type: "xfs", ReadOnly: true},
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Error(diff)
	}
	// A file system that the kernel made read-only, after an error, is so in its own options alone.
	after, err := parseMounts("20 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root ro,errors=remount-ro\n")
	if err != nil || !after[0].ReadOnly {
		t.Errorf("%+v, %v", after, err)
	}
	for _, bad := range []string{"20 1 259:1 / / rw ext4 /dev/root rw\n", "20 1 root / / rw - ext4 /dev/root rw\n", "20 1 0:5 / / rw - ext4\n"} {
		if m, err := parseMounts(bad); err == nil {
			t.Errorf("%q is %+v", bad, m)
		}
	}
	if got := parseSwaps(testdata(t, "proc/swaps")); len(got) != 1 || got[0] != "/dev/nvme7n1" {
		t.Errorf("swaps are %v", got)
	}
}
