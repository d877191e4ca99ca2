package storage

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// An ext4 is checked before it is mounted; what needs a person is left unmounted.
func TestMountChecks(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		want string
	}{
		"clean": {}, "mended": {code: 1},
		"a reboot is wanted": {2, "exit code 2"},
		"a person is wanted": {4, "volume vol-1 is left unmounted: e2fsck -p /dev/nvme1n1: exit code 4: it said so; `e2fsck -f /dev/nvme1n1` checks it"},
		"it cannot look":     {8, "exit code 8: it said so; the next pass tries again"},
	} {
		t.Run(name, func(t *testing.T) {
			d := withMounts(t, "ext4")
			d.bad["e2fsck"] = c.code
			_, err := settle(t, d.Host(), mountOf(onVolume, "ext4"), plan.Disrupts)
			if got := text(err); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if !slices.Equal(d.ran, []string{"e2fsck -p /dev/nvme1n1"}) {
				t.Errorf("ran %q", d.ran)
			}
			if jobs := strings.Join(d.Jobs(), ", "); strings.Contains(jobs, "start") != (c.want == "") {
				t.Errorf("systemd was asked for %s", jobs)
			}
		})
	}
	other := withMounts(t, "xfs")
	if _, err := settle(t, other.Host(), mountOf(onVolume, "ext4"), plan.Disrupts); !strings.Contains(text(err), "volume vol-1 does not hold ext4: a file system, xfs") || len(other.ran) > 0 || len(other.Jobs()) > 0 {
		t.Errorf("%v; ran %q, %q", err, other.ran, other.Jobs())
	}
}

// Killed anywhere, the next pass mounts it.
func TestMountKilledAnywhere(t *testing.T) {
	for n, died := 1, true; died; n++ {
		d := withMounts(t, "ext4")
		m := mountOf(onVolume, "ext4")
		m.Mode = "0700"
		died = d.Kill(n, func(h *host.Host) { _, _ = settle(t, h, m, plan.Disrupts) })
		if err := Sweep(d.Host()); err != nil {
			t.Error(err)
		}
		if _, err := settle(t, d.Host(), m, plan.Disrupts); err != nil {
			t.Fatalf("killed at %d: %v", n, err)
		}
		isSo(t, d.Host(), m)
		if got := strings.Count(d.Read("/proc/self/mountinfo"), "nvme1n1"); got != 1 {
			t.Errorf("killed at %d: mounted %d times", n, got)
		}
		if temps := d.Temps(); len(temps) > 0 && !died {
			t.Errorf("killed at %d: left behind: %v", n, temps)
		}
	}
}
