package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/facts"
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

// TestKilledWhilePuttingBack ends a restore and a clean by SIGKILL at each of
// their effects. Run again, each ends with the image's files, and until then
// everything is still known to be the first machine's.
func TestKilledWhilePuttingBack(t *testing.T) {
	first := 1
	for _, how := range []string{"restore", "clean"} {
		t.Run(how, func(t *testing.T) {
			if m, ok := hosttest.InChild(t); ok {
				withUnits(m)
				putBackBy(t, m)
				return
			}
			points := 0
			for n := first; ; n++ {
				m := machine(t, thisID)
				image := m.Tree("/run", "/var")
				boot(t, m.Host(), crawl(thisID))
				if !m.Child(t, n) {
					points = n - 1
					break
				}
				if owner := facts.ReadMachine(m.Host()).Owner; owner != thisID && !cmp.Equal(image, m.Tree("/run", "/var")) {
					t.Errorf("killed at point %d: the files that are left belong to %q", n, owner)
				}
				again(t, n, how, m, image)
			}
			if points < first+3 || points < 50 {
				t.Errorf("only %d points to be killed at: is the hook called?", points)
			}
			first = points - 5 // a clean begins as a restore does
			t.Logf("killed at %d points", points)
		})
	}
}

func putBackBy(t *testing.T, m *hosttest.Machine) {
	t.Helper()
	do := Restore
	if strings.HasSuffix(t.Name(), "/clean") {
		do = Clean
	}
	if _, err := do(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
		t.Error(err)
	}
}

func again(t *testing.T, n int, how string, m *hosttest.Machine, image map[string]string) {
	t.Helper()
	putBackBy(t, m)
	if diff := cmp.Diff(image, m.Tree("/run", "/var")); diff != "" {
		t.Errorf("killed at point %d: a second %s left (-want +got)\n%s", n, how, diff)
	}
	if temps := m.Temps(); len(temps) > 0 {
		t.Errorf("killed at point %d: a second %s left %v", n, how, temps)
	}
	for path := range m.Tree() {
		if how == "clean" && strings.HasPrefix(path, "/var/lib/reveille") {
			t.Errorf("killed at point %d: a second clean left %s", n, path)
		}
	}
}
