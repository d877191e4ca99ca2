package debug

import (
	"slices"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

// LVM's own unit keeps people out while a volume hangs, where it runs at boot,
// nobody has bounded it, and the role has disks.
func TestDoctorOfLVM(t *testing.T) {
	const enabled, limit = "/etc/systemd/system/sysinit.target.wants/" + lvmMonitor, "/etc/systemd/system/" + lvmMonitor + ".d/limit.conf"
	const link = "-> /lib/systemd/system/" + lvmMonitor
	disks := plan.Plan{{Concern: "storage"}}
	for name, c := range map[string]struct {
		files map[string]string
		plan  plan.Plan
		found bool
	}{
		"enabled":     {map[string]string{enabled: link}, disks, true},
		"no disks":    {map[string]string{enabled: link}, nil, false},
		"not enabled": {nil, disks, false},
		"masked":      {map[string]string{enabled: link, "/etc/systemd/system/" + lvmMonitor: "-> /dev/null"}, disks, false},
		"bounded":     {map[string]string{enabled: link, limit: "[Service]\n TimeoutStartSec = 10s\n"}, disks, false},
		"not bounded": {map[string]string{enabled: link, limit: "[Service]\nTimeoutStopSec=10s\nTimeoutSec=infinity\n#TimeoutSec=1\n"}, disks, true},
	} {
		m := hosttest.New(t, well())
		for path, text := range c.files {
			m.Put(path, text, 0o644)
		}
		p := Patient{Host: m.Host(), Machine: facts.ReadMachine(m.Host())}
		p.Wanted.Plan = c.plan
		got := slices.ContainsFunc(Doctor(p, false), func(f facts.Finding) bool { return f.Code == "lvm-waits" && Wrong(f) })
		if got != c.found {
			t.Errorf("%s: found %v, want %v", name, got, c.found)
		}
	}
}
