package debug

import (
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

// A role without the permission is told by its name, and is a fault where
// something depends on it.
func TestDoctorOfVolumes(t *testing.T) {
	read := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		reason      facts.Reason // "": EC2 answered
		kept, disks bool         // an earlier answer counts; the role has disks
		code        string
		severity    facts.Severity
		says        []string
	}{
		"answered":              {},
		"not asked":             {reason: facts.NotAsked, disks: true},
		"forbidden":             {reason: facts.Forbidden, code: "volumes-forbidden", severity: facts.Info, says: []string{"ec2:DescribeVolumes"}},
		"forbidden, and needed": {reason: facts.Forbidden, disks: true, code: "volumes-forbidden", severity: facts.Warning, says: []string{"ec2:DescribeVolumes"}},
		"forbidden, and kept":   {reason: facts.Forbidden, disks: true, kept: true, code: "volumes-forbidden", severity: facts.Info, says: []string{"2026-01-02 12:00 UTC"}},
		"no way":                {reason: facts.TimedOut, disks: true, code: "volumes-untold", severity: facts.Warning, says: []string{"NAT"}},
		"throttled":             {reason: facts.Throttled, disks: true, code: "volumes-untold", severity: facts.Warning, says: []string{"throttled", "reload"}},
		"another clock":         {reason: facts.Unauthorized, code: "clock-differs", severity: facts.Warning, says: []string{"169.254.169.123"}},
	} {
		m := hosttest.New(t, well())
		p := Patient{Host: m.Host(), Machine: facts.ReadMachine(m.Host())}
		if c.reason != "" {
			p.Wanted.Facts.Volumes = facts.Unknown[map[string]facts.EBSVolume](c.reason, "x")
			p.Wanted.Facts.Problems = []facts.Problem{{Path: facts.VolumesPath, Reason: c.reason, Detail: "x"}}
		}
		if c.kept {
			p.Wanted.Facts.Volumes, p.Wanted.Facts.VolumesRead = facts.Known(map[string]facts.EBSVolume{}), read
		}
		if c.disks {
			p.Wanted.Plan = plan.Plan{{Concern: "storage"}}
		}
		var got []facts.Finding
		for _, f := range Doctor(p, false) {
			if strings.HasPrefix(f.Code, "volumes") || f.Code == "clock-differs" {
				got = append(got, f)
			}
		}
		if c.code == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Code != c.code || got[0].Severity != c.severity {
			t.Errorf("%s: %+v, want %s, %s", name, got, c.code, c.severity)
			continue
		}
		for _, want := range c.says {
			if !strings.Contains(got[0].Title+got[0].Remedy, want) {
				t.Errorf("%s: %+v says nothing of %q", name, got[0], want)
			}
		}
	}
}

func TestFactsShowDisksAndVolumes(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	f := facts.Facts{Now: now, VolumesRead: now.Add(-90 * time.Minute),
		Disks: []block.Disk{{Kernel: "nvme0n1", Kind: block.EBS, Volume: "vol-00", Size: 8 << 30, Root: true}, {Kernel: "nvme1n1", Kind: block.InstanceStore, Name: "sdb"}},
		Volumes: facts.Known(map[string]facts.EBSVolume{
			"vol-0b": {GiB: 16, Device: "sdg", Snapshot: "snap-01"},
			"vol-0a": {GiB: 8, Device: "sdf", Tags: map[string]string{"b": "2", "a": "1\x1b[31m"}},
		})}
	var b strings.Builder
	Facts(&b, f)
	shown := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"disk nvme0n1: ebs vol-00, 8192 MiB, attached as unknown, the system's",
		"disk nvme1n1: instance-store without an id, 0 MiB, attached as sdb",
		"volumes' age 1h30m0s volume vol-0a: 8 GiB, attached as sdf; tags: a=1",
		"b=2 volume vol-0b: 16 GiB, attached as sdg, made from snap-01; tags: none",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Errorf("a tag writes to the terminal as it likes: %q", b.String())
	}
	f.Volumes = facts.Unknown[map[string]facts.EBSVolume](facts.Forbidden, "")
	b.Reset()
	if Facts(&b, f); !strings.Contains(b.String(), "unknown (forbidden)") {
		t.Errorf("not told that EC2 refused:\n%s", b.String())
	}
}
