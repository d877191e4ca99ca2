package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

// TestKilledAnywhere ends a whole pass by SIGKILL before, within and after
// each of its effects. A second pass converges and leaves no temporary file;
// restore, after any of them, leaves the root as the image made it.
func TestKilledAnywhere(t *testing.T) {
	if m, ok := hosttest.InChild(t); ok {
		withUnits(m)
		boot(t, m.Host(), crawl(thisID))
		return
	}
	whole := machine(t, thisID)
	boot(t, whole.Host(), crawl(thisID))
	want := whole.Tree("/run", "/var")

	points := 0
	for n := 1; ; n++ {
		m := machine(t, thisID)
		image := m.Tree("/run", "/var")
		if !m.Child(t, n) {
			points = n - 1
			break
		}
		if n%2 == 0 { // every other: restore straight after the kill
			restored(t, n, m, image)
			continue
		}
		out := boot(t, m.Host(), crawl(thisID))
		if out.Report.State != api.Ready {
			t.Errorf("killed at point %d: the next pass:\n%s", n, text(out.Report))
		}
		if diff := cmp.Diff(want, m.Tree("/run", "/var")); diff != "" {
			t.Errorf("killed at point %d: the next pass left (-want +got)\n%s", n, diff)
		}
		if temps := m.Temps(); len(temps) > 0 {
			t.Errorf("killed at point %d: the next pass left %v", n, temps)
		}
		restored(t, n, m, image)
	}
	if points < 50 {
		t.Errorf("the pass had only %d points to be killed at: is the hook called?", points)
	}
	t.Logf("killed at %d points", points)
}

func restored(t *testing.T, n int, m *hosttest.Machine, image map[string]string) {
	t.Helper()
	if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
		t.Errorf("killed at point %d: restore: %v", n, err)
	}
	if diff := cmp.Diff(image, m.Tree("/run", "/var")); diff != "" {
		t.Errorf("killed at point %d: restore left (-want +got)\n%s", n, diff)
	}
	if temps := m.Temps(); len(temps) > 0 {
		t.Errorf("killed at point %d: restore left %v", n, temps)
	}
}
