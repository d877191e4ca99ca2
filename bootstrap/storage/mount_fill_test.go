package storage

import (
	"context"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
)

// A file system that is nearly full is told, by bytes and by files, as is one
// that does not answer; one that is not mounted is not asked for.
func TestMountThatIsNearlyFull(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		err  error
		want []string
	}{
		"room":          {`{"percent": 89, "files": 89, "left": 1048576}`, nil, nil},
		"bytes":         {`{"percent": 90, "files": 1, "left": 10485760}`, nil, []string{"mount:/srv/my data is 90% full: 10 MiB are left"}},
		"files":         {`{"percent": 1, "files": 100, "left": 1}`, nil, []string{"mount:/srv/my data has used 100% of the files that it can hold"}},
		"it hangs":      {"", context.DeadlineExceeded, []string{"how full mount:/srv/my data is cannot be told: run /proc/self/exe look fill /srv/my data: context deadline exceeded; it does not answer"}},
		"it says chaff": {"?", nil, []string{"cannot be told"}},
	} {
		d := withMounts(t, "xfs")
		m := mountOf(onVolume, "xfs")
		if notes := m.Notes(d.Host()); len(notes) > 0 {
			t.Errorf("%s: not mounted, and %q", name, notes)
		}
		d.mounted(m.Path, "/dev/nvme1n1", "xfs", "rw")
		d.Command([]string{"/proc/self/exe", "look", "fill", m.Path}, host.Output{Stdout: []byte(c.says)}, c.err)
		notes := m.Notes(d.Host())
		if !slices.EqualFunc(notes, c.want, strings.Contains) {
			t.Errorf("%s: %q, want %q", name, notes, c.want)
		}
	}
}
