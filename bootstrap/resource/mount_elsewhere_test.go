package resource

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// What is mounted at another path is refused, with where: neither is it mounted a
// second time, nor are its owner and mode set. At the right path as well, it is so.
func TestMountedElsewhere(t *testing.T) {
	for _, kind := range []string{"xfs", "ext4"} {
		d := withMounts(t, kind)
		m := mountOf(onVolume, kind)
		m.Mode = "0700"
		ctx := plan.WithAllowed(t.Context(), plan.Disrupts)
		changes, err := m.Check(ctx, d.Host())
		if err != nil || len(changes) != 1 {
			t.Fatalf("%v, %v", changes, err)
		}
		d.mounted("/mnt", "/dev/nvme1n1", kind, "rw")
		words := "volume vol-1 is mounted on /mnt already: `umount /mnt`, or "
		if err := changes[0].Do(ctx); !strings.Contains(text(err), words) || len(d.Jobs()) > 0 || len(d.ran) > 0 {
			t.Errorf("%v; ran %q, %q", err, d.ran, d.Jobs())
		}
		d.refused(t, m, words)
		m.Mode = ""
		d.Put("/srv/my data/", "", 0)
		d.mounted(m.Path, "/dev/nvme1n1", kind, "rw")
		isSo(t, d.Host(), m)
	}
}
