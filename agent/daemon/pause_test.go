package daemon

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
)

// An image that was made of a paused machine is not a paused machine: the
// other's files go back, and the pass goes on.
func TestAnotherInstancesPauseCountsForNothing(t *testing.T) {
	for name, dmi := range map[string]bool{"DMI names the machine": true, "IMDS alone names it": false} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, thisID)
			if !dmi {
				m.Put("/sys/class/dmi/id/board_asset_tag", "\n", 0o444)
			}
			image := m.Tree("/run", "/var", "/sys")
			boot(t, m.Host(), crawl(thisID))
			if err := Hold(t.Context(), agent.Config{Host: m.Host()}, "before the upgrade", time.Hour); err != nil {
				t.Fatal(err)
			}
			if out := boot(t, m.Host(), crawl(thisID)); len(out.Report.Notes) == 0 {
				t.Errorf("the machine itself is not paused:\n%s", text(out.Report))
			}
			if dmi {
				m.Put("/sys/class/dmi/id/board_asset_tag", otherID+"\n", 0o444)
				f := crawl(otherID)
				f.Instance.ID = facts.Unknown[string](facts.TimedOut, "")
				f.UserData = facts.UserData{State: facts.Unknown[facts.Digest](facts.TimedOut, "")}
				boot(t, m.Host(), f)
				if diff := cmp.Diff(image, m.Tree("/run", "/var", "/sys")); diff != "" {
					t.Errorf("the image's files are not back (-want +got)\n%s", diff)
				}
			}
			m.Put("/etc/hostname", "somebody else's\n", 0o644)
			if out := boot(t, m.Host(), crawl(otherID)); out.Report.State != api.Ready || m.Read("/etc/hostname") != "dev-mysql01\n" {
				t.Errorf("a pass on the clone:\n%s", text(out.Report))
			}
		})
	}
}

// Whose a pause is may not be known: then it holds, for everybody.
func TestAPauseOfNobodyHolds(t *testing.T) {
	m := machine(t, thisID)
	m.Put(facts.PausePath, `{"reason": "an older program's", "until": ""}`, 0o644)
	before := m.Tree("/run")
	boot(t, m.Host(), crawl(otherID))
	if diff := cmp.Diff(before, m.Tree("/run")); diff != "" {
		t.Error(diff)
	}
}
