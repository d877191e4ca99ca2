package storage

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// A volume is pulled while it is being proven blank, and the next that comes gets
// its kernel name: nothing is made on that one, which nobody has proven.
func TestNothingIsMadeOnTheNextOfTheName(t *testing.T) {
	for _, on := range []Device{onVolume, onArray} {
		d := withDisks(t)
		f := fsOf(on, "ext4")
		node, _ := on.Node(t.Context(), d.Host())
		d.during = func() {
			if len(d.proofs) == 2 { // the second proof is right before the deed
				d.Put("/sys/class/block/"+strings.TrimPrefix(node, "/dev/")+"/diskseq", "9\n", 0o644)
			}
		}
		_, err := settle(t, d.Host(), f, plan.Destroys)
		if !strings.Contains(text(err), "has changed its place while it was looked at") || len(d.ran) > 0 {
			t.Errorf("%s: %v; ran %q", on.ID(), err, d.ran)
		}
	}
}
