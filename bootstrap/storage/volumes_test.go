package storage

import (
	"errors"
	"testing"

	"reveille/bootstrap/plan"
)

// Volumes are waited for, and each that is missing is named; ids that nobody
// knows ask for new facts.
func TestVolumesAreWaitedFor(t *testing.T) {
	v := Volumes{Name: "data", IDs: four, Count: 4, Say: "tags array=data"}
	unknown := v
	unknown.IDs, unknown.Lacks = four[:3], "ec2:DescribeVolumes is not allowed"
	for name, c := range map[string]struct {
		of     Volumes
		detach []string
		want   string
		wait   bool
		facts  bool
	}{
		"all there":    {of: v},
		"one missing":  {v, four[1:2], "waiting for volume " + four[1] + " to be attached", true, false},
		"two missing":  {v, four[2:], "waiting for volumes " + four[2] + ", " + four[3] + " to be attached", true, false},
		"not known":    {unknown, nil, "waiting for 1 of 4 volumes, by tags array=data (ec2:DescribeVolumes is not allowed)", true, true},
		"both":         {unknown, four[:1], "waiting for 2 of 4 volumes, by tags array=data (ec2:DescribeVolumes is not allowed), " + four[0] + " among them", true, true},
		"one too many": {Volumes{Name: "data", IDs: four, Count: 3, Say: "tags array=data"}, nil, "tags array=data choose 4 volumes, and 3 are wanted: vol-0000000a, vol-0000000b, vol-0000000c, vol-0000000d; detach what does not belong there, or correct the count", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, four...)
			for _, id := range c.detach {
				w.detach(id)
			}
			w.Forget()
			changes, err := c.of.Check(t.Context(), w.Host())
			var wait *plan.NotYet
			if errors.As(err, &wait) != c.wait || wait != nil && wait.Facts != c.facts || text(err) != c.want || len(changes) > 0 {
				t.Errorf("%v, %v\nwant %s", changes, err, c.want)
			}
			if w.Writes() > 0 {
				t.Errorf("a look did %q", w.Effects())
			}
		})
	}
}

// A volume is found by its id, wherever the kernel has put it.
func TestVolumeIsFoundByItsID(t *testing.T) {
	w := newWorld(t, four[3], four[0])
	node, err := Volume{four[0]}.Node(t.Context(), w.Host())
	if err != nil || node != "/dev/nvme2n1" {
		t.Errorf("%s, %v", node, err)
	}
	isSo(t, w.Host(), Volume{four[0]})
	var wait *plan.NotYet
	if _, err := (Volume{four[1]}).Check(t.Context(), w.Host()); !errors.As(err, &wait) {
		t.Errorf("%v", err)
	}
}
