package storage

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// The unit's file names the device after what it is, where udev does: the name
// that the kernel gave it may be another's when somebody starts the unit.
func TestMountByALastingName(t *testing.T) {
	for want, links := range map[string]map[string]string{
		"/dev/disk/by-id/md-uuid-4f3b0c1d": {"md-uuid-4f3b0c1d": "md127", "md-name-host:data": "md127", "md-uuid-4f3b": "md126"},
		"/dev/md127":                       {"md-name-host:data": "md127", "wwn-0x1": "md127"},
	} {
		d := withMounts(t, "xfs")
		for link, node := range links {
			d.Put("/dev/disk/by-id/"+link, "-> ../../"+node, 0)
		}
		m := mountOf(onArray, "xfs")
		if _, err := settle(t, d.Host(), m, plan.Disrupts); err != nil {
			t.Fatal(err)
		}
		if text := d.Read("/run/systemd/system/" + dataUnit); !strings.Contains(text, "\nWhat="+want+"\n") {
			t.Errorf("want What=%s:\n%s", want, text)
		}
	}
}
