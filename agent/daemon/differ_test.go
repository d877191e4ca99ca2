package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/coordinator/api"
)

// Where the firmware names another instance than the metadata service, the
// latter is believed, by every pass: nothing goes to and fro.
func TestIDsThatDifferUndoNothing(t *testing.T) {
	m := machine(t, otherID)
	boot(t, m.Host(), crawl(thisID))
	ours := m.Tree("/run", "/sys")
	for _, kind := range []Kind{Timer, Boot, Hup} {
		m.Forget()
		if r := pass(t, m.Host(), kind); r.State != api.Ready {
			t.Errorf("a %s pass:\n%s", kind, text(r))
		}
		if diff := cmp.Diff(ours, m.Tree("/run", "/sys")); diff != "" {
			t.Errorf("after a %s pass (-before +now)\n%s", kind, diff)
		}
	}
}
