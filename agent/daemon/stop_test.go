package daemon

import (
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// Readiness that comes after whoever waited has given up still starts what
// depends on it, once: a person may stop it again.
func TestReadinessThatComesLateStartsTheTarget(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.m.SetUnit(readyTarget, "inactive")
		r.remove("/etc/nsswitch.conf")
		r.m.Put("/etc/nsswitch.conf/", "", 0) // a folder: this step cannot be
		r.start()
		r.after(time.Minute)
		if r.report().State != api.Failed || started(r) != 0 {
			t.Fatalf("%s, and systemd was asked for %v", r.report().State, r.m.Jobs())
		}
		r.remove("/etc/nsswitch.conf")
		r.m.Put("/etc/nsswitch.conf", fresh(thisID)["/etc/nsswitch.conf"], 0o644)
		r.hup <- nil
		r.after(time.Minute)
		if started(r) != 1 {
			t.Fatalf("%s, and systemd was asked for %v", r.report().State, r.m.Jobs())
		}
		r.m.SetUnit(readyTarget, "inactive") // by a person
		r.hup <- nil
		r.after(time.Minute)
		r.stop()
		r.start()
		r.after(time.Minute)
		if started(r) != 1 {
			t.Errorf("it was stopped by a person, and systemd was asked for %v", r.m.Jobs())
		}
	})
}

// Whoever waits in time needs no help.
func TestATargetThatIsAboutToBeReachedIsLeftAlone(t *testing.T) {
	for _, state := range []string{"active", "activating", "absent"} {
		inBubble(t, func(t *testing.T, r *rig) {
			if state != "absent" {
				r.m.SetUnit(readyTarget, state)
			}
			r.start()
			r.after(5 * time.Minute)
			if r.report().State != api.Ready || started(r) != 0 {
				t.Errorf("%s: %s, and systemd was asked for %v", state, r.report().State, r.m.Jobs())
			}
		})
	}
}

func started(r *rig) int { return strings.Count(strings.Join(r.m.Jobs(), "\n"), "start "+readyTarget) }

func TestTheMachineGoesDown(t *testing.T) {
	for name, c := range map[string]struct {
		shutdown string // the state of shutdown.target
		brake    bool
		state    api.State
		ran      bool
	}{
		"it does":                  {"activating", false, api.Stopping, true},
		"it does, and is disabled": {"activating", true, api.Stopping, false},
		"the agent alone":          {"inactive", false, api.Ready, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				const script = "/usr/local/sbin/leave"
				r.m.Put(script, "#!/bin/sh\n", 0o755)
				r.m.SetUnit("shutdown.target", c.shutdown)
				if c.ran {
					r.m.Command([]string{script}, host.Output{}, nil)
				}
				f := crawl(thisID)
				f.UserData.Parts[0].Text += "scripts.shutdown=" + script + "\n"
				r.set(f)
				r.start()
				r.after(time.Minute)
				if c.brake {
					r.m.Put("/etc/reveille/disabled", "", 0o644)
				}
				r.m.Forget()
				r.stop()
				if got := r.report().State; got != c.state {
					t.Errorf("the report says %s, want %s", got, c.state)
				}
				if ran := strings.Contains(strings.Join(r.m.Effects(), "\n"), script); ran != c.ran {
					t.Errorf("effects: %q", r.m.Effects())
				}
				if c.ran && !r.heard("EXTEND_TIMEOUT_USEC=") {
					t.Errorf("systemd was told %q", r.said)
				}
			})
		})
	}
}

// A machine that goes down keeps systemd busy: the scripts have their turn all
// the same.
func TestTheMachineGoesDownInAHurry(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.m.SetUnit("shutdown.target", "activating")
		r.start()
		r.after(time.Minute)
		r.m.Busy(2 * time.Second)
		r.stop()
		if got := r.report().State; got != api.Stopping {
			t.Errorf("the report says %s", got)
		}
	})
}

// A sign of life as long as passes end; none for one that is long past its end,
// so that systemd starts the agent anew.
func TestTheWatchdog(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.d.Watchdog = 3 * time.Minute
		r.start()
		r.after(5 * time.Minute)
		if n := count(r, "WATCHDOG=1"); n != 3 {
			t.Errorf("%d signs of life in five minutes, want one each 90 s", n)
		}
	})
	inBubble(t, func(t *testing.T, r *rig) {
		r.d.Watchdog, r.d.Times.Pass = 3*time.Minute, time.Minute
		hang := make(chan struct{})
		r.d.Notify = func(state string) error {
			if strings.Contains(state, "walking") {
				<-hang // in the pass's own goroutine
			}
			return r.notify(state)
		}
		r.start()
		r.after(20 * time.Minute)
		if n := count(r, "WATCHDOG=1"); n != 1 {
			t.Errorf("%d signs of life with a pass that does not end", n)
		}
		if !r.heard("READY=1") || !r.heard("STATUS=stuck") {
			t.Errorf("systemd was told %q", r.said)
		}
		if took := r.stop(); took > time.Second {
			t.Errorf("the stop took %s", took)
		}
		close(hang)
	})
}

func count(r *rig, state string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.said {
		n += strings.Count(s, state)
	}
	return n
}

func TestWhetherTheDaemonRuns(t *testing.T) {
	m := machine(t, thisID)
	for state, want := range map[string]string{"active": "runs", "failed": "reveille.service is failed", "inactive": "reveille.service is inactive"} {
		m.SetUnit("reveille.service", state)
		if got := Running(t.Context(), m.Host()); !strings.Contains(got, want) {
			t.Errorf("%s: %q", state, got)
		}
	}
	m.SetUnit("reveille.service", "absent")
	if got := Running(t.Context(), m.Host()) + Running(t.Context(), m.Offline()); got != "" {
		t.Errorf("where there is none: %q", got)
	}
}
