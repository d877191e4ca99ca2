package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// An image may be made a good while after the clean. A daemon that still runs
// would write again, so that clean refuses, and says what to do first.
func TestCleanRefusesWhileTheDaemonRuns(t *testing.T) {
	for state, refuses := range map[string]bool{"active": true, "activating": true, "reloading": true,
		"inactive": false, "failed": false, "deactivating": false, "absent": false} {
		t.Run(state, func(t *testing.T) {
			m := machine(t, thisID)
			image := m.Tree("/run", "/var", "/sys")
			boot(t, m.Host(), crawl(thisID))
			ours := m.Tree("/run", "/var", "/sys")
			if state != "absent" {
				m.SetUnit(service, state)
			}
			c := agent.Config{Host: m.Host()}
			if _, err := Clean(t.Context(), c, true, nil); err != nil {
				t.Errorf("a dry run: %v", err)
			}
			want := image
			_, err := Clean(t.Context(), c, false, nil)
			if refuses {
				if want = ours; err == nil || !strings.Contains(err.Error(), "systemctl stop reveille.service") {
					t.Errorf("it said: %v", err)
				}
			} else if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, m.Tree("/run", "/var", "/sys")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// A startup script goes on without the agent: it would write into the image,
// and nobody would know that it was run.
func TestCleanRefusesWhileAScriptGoesOn(t *testing.T) {
	const unit = "reveille-script-usr-local-sbin-prepare.service"
	m := machine(t, thisID)
	entry := facts.InstancesPath + "/" + thisID + "/scripts/%2Fusr%2Flocal%2Fsbin%2Fprepare.json"
	m.Put(entry, `{"version": 1, "path": "/usr/local/sbin/prepare", "state": "began", "boot": "11111111-2222-3333-4444-555555555555", "unit": "`+unit+`"}`, 0o600)
	m.SetTask(unit, host.TaskState{State: "activating"})
	c := agent.Config{Host: m.Host()}
	if _, err := Clean(t.Context(), c, false, nil); err == nil || !strings.Contains(err.Error(), unit) || m.Read(entry) == "" {
		t.Errorf("it said: %v", err)
	}
	m.SetTask(unit, host.TaskState{State: "active"})
	if _, err := Clean(t.Context(), c, false, nil); err != nil {
		t.Error(err)
	}
}

// A restore must work at once, whatever runs. The timer leaves it alone; what
// will not is said.
func TestARestoreStandsUntilWhatIsSaid(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		image := r.m.Tree("/run", "/var", "/sys")
		r.m.SetUnit(service, "active")
		r.start()
		r.after(time.Minute)
		if _, err := Restore(t.Context(), agent.Config{Host: r.m.Host()}, false, nil); err != nil {
			t.Fatal(err)
		}
		r.after(13 * time.Minute) // the timer looks once within 12.5 minutes, and not twice within 15
		if diff := cmp.Diff(image, r.m.Tree("/run", "/var", "/sys")); diff != "" || r.passes() != "boot timer" {
			t.Errorf("after the passes %s (-restored +got)\n%s", r.passes(), diff)
		}
	})
}

// Whoever restores hears what makes the machine ours again.
func TestWhatUndoesARestoreIsSaid(t *testing.T) {
	m := machine(t, thisID)
	say := func(want string) {
		t.Helper()
		if got := Undoes(t.Context(), m.Host()); want == "" != (got == "") || !strings.Contains(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	say("")
	m.Put("/etc/systemd/system/multi-user.target.wants/"+service, "-> /usr/lib/systemd/system/"+service, 0)
	say("is enabled")
	m.SetUnit(service, "active")
	say("the daemon runs")
	if err := Hold(t.Context(), agent.Config{Host: m.Host()}, "as it was", 0); err != nil {
		t.Fatal(err)
	}
	say("")
}
