package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

const (
	prepare     = "/usr/local/sbin/prepare"
	prepareUnit = "reveille-script-usr-local-sbin-prepare.service"
	bootIDPath  = "/proc/sys/kernel/random/boot_id"
)

func theScript() Script {
	return Script{Path: prepare, Journal: "/var/lib/reveille/instances/i-1/scripts"}
}

// scripted is a machine with the script on it, which is so far at once after
// its launch.
func scripted(t *testing.T, after host.TaskState) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, nil)
	m.Put(prepare, "#!/bin/sh\n", 0o755)
	m.Put(bootIDPath, "boot-1\n", 0o444)
	m.OnLaunch(func(host.Task) host.TaskState { return after })
	m.Command([]string{"journalctl", "--sync"}, host.Output{}, nil)
	for at := range 60 { // it begins within a minute from now
		since := fmt.Sprintf("--since=@%d", time.Now().Unix()+int64(at))
		m.Command([]string{"journalctl", "-q", "-b", "-o", "cat", "-n", "5", since, "_SYSTEMD_UNIT=" + prepareUnit}, host.Output{Stdout: []byte("begin\nno space left\n")}, nil)
	}
	return m
}

var (
	goesOn = host.TaskState{State: "activating"}
	well   = host.TaskState{State: "active"}
	badly  = host.TaskState{State: "failed", Result: "exit-code", Code: 3}
)

// launches counts how often the script was begun.
func launches(m *hosttest.Machine) int {
	n := 0
	for _, job := range m.Jobs() {
		if job == "launch "+prepareUnit {
			n++
		}
	}
	return n
}

// walk is a pass that does whatever is asked for until nothing is, or only
// waiting helps. Its error is the last one.
func walk(t *testing.T, h *host.Host, s Script) error {
	t.Helper()
	for range 10 {
		changes, err := s.Check(context.Background(), h)
		if err != nil || len(changes) == 0 {
			return err
		}
		for _, c := range changes {
			var wait *plan.NotYet
			if err := c.Do(context.Background()); err != nil && !errors.As(err, &wait) {
				return err
			}
		}
	}
	t.Fatalf("%s is never so", s.ID())
	return nil
}

func refuses(t *testing.T, m *hosttest.Machine, s Script, words ...string) {
	t.Helper()
	changes, err := s.Check(context.Background(), m.Host())
	var wait *plan.NotYet
	if err == nil || errors.As(err, &wait) || len(changes) > 0 {
		t.Fatalf("%+v, %v: want a final error with %q", changes, err, words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\ndoes not say %q", err, w)
		}
	}
}

func goesOnIn(t *testing.T, m *hosttest.Machine, s Script) {
	t.Helper()
	var wait *plan.NotYet
	if err := walk(t, m.Host(), s); !errors.As(err, &wait) || !strings.Contains(err.Error(), "journalctl -u "+prepareUnit) {
		t.Fatalf("%v, want that it is waited for", err)
	}
}

func TestScriptRunsOnceOnAnInstance(t *testing.T) {
	m := scripted(t, well)
	s := theScript()
	changes := check(t, m.Host(), s)
	if len(changes) != 1 || changes[0].Say != "run "+prepare+" (once on this instance)" || changes[0].Risk != plan.Disrupts || m.Writes() > 0 {
		t.Fatalf("%+v, %v", changes, m.Effects())
	}
	if err := walk(t, m.Host(), s); err != nil {
		t.Fatal(err)
	}
	isSo(t, m.Host(), s)
	m.Put(prepare, "#!/bin/sh\nanother version\n", 0o755)
	isSo(t, m.Host(), s)
	if launches(m) != 1 {
		t.Errorf("run %d times", launches(m))
	}
	other := s // and the unit of the first is still there, as in no clone
	other.Journal = "/var/lib/reveille/instances/i-2/scripts"
	if err := walk(t, m.Host(), other); err != nil || launches(m) != 2 {
		t.Errorf("another instance: %v, run %d times", err, launches(m))
	}
}

// What systemd is asked to run, and that the journal says so before.
func TestScriptIsOnTheDiskBeforeItBegins(t *testing.T) {
	m := scripted(t, goesOn)
	s := theScript()
	s.Within = time.Minute
	m.OnLaunch(func(task host.Task) host.TaskState {
		if task.Unit != prepareUnit || fmt.Sprint(task.Argv) != "["+prepare+"]" || task.Within != time.Minute {
			t.Errorf("%+v", task)
		}
		if got := m.Read(s.entry()); !strings.Contains(got, `"began"`) || !strings.Contains(got, prepareUnit) || !strings.Contains(got, "boot-1") {
			t.Errorf("the journal says\n%s", got)
		}
		return goesOn
	})
	goesOnIn(t, m, s)
	if launches(m) != 1 {
		t.Errorf("run %d times", launches(m))
	}
}

// The agent is started anew, a pass is over, another one runs beside: whoever
// looks waits, and whoever comes after the end notes it, the timer's pass too.
func TestScriptGoesOnWithoutTheAgent(t *testing.T) {
	for name, c := range map[string]struct {
		end   host.TaskState
		words []string // of the failure; none: it ended well
	}{
		"well":          {well, nil},
		"exit code":     {badly, []string{"failed: exit code 3: begin\nno space left", "journalctl -u " + prepareUnit, "rm " + theScript().entry()}},
		"time":          {host.TaskState{State: "failed", Result: "timeout", Code: 15}, []string{"not ended within 2m0s, and so killed"}},
		"signal":        {host.TaskState{State: "failed", Result: "signal", Code: 9}, []string{"ended by signal 9"}},
		"by the kernel": {host.TaskState{State: "failed", Result: "oom-kill"}, []string{"systemd calls it oom-kill"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := scripted(t, goesOn)
			s := theScript()
			goesOnIn(t, m, s)
			goesOnIn(t, m, s)
			m.SetTask(prepareUnit, host.TaskState{State: "deactivating"}) // its time is over, and it does not end at once
			goesOnIn(t, m, s)

			m.SetTask(prepareUnit, c.end)
			changes := check(t, m.Host(), s)
			if len(changes) != 1 || changes[0].Risk != plan.Safe {
				t.Fatalf("%+v, want one change that a timer's pass may make", changes)
			}
			run(t, changes)
			m.SetTask(prepareUnit, host.TaskState{}) // the next boot
			m.Put(bootIDPath, "boot-2\n", 0o444)
			if c.words == nil {
				isSo(t, m.Host(), s)
			} else {
				refuses(t, m, s, c.words...)
			}
			if launches(m) != 1 {
				t.Errorf("run %d times", launches(m))
			}
			if i, err := m.Host().Stat(s.Journal); err != nil || i.Mode.Perm() != 0o700 {
				t.Errorf("last words may be read by others: %v, %v", i.Mode, err)
			}
		})
	}
}

// Nobody can tell its end any more: systemd does not know it, or another boot
// does not.
func TestScriptThatWasCutShort(t *testing.T) {
	for name, cut := range map[string]func(*hosttest.Machine){
		"power": func(m *hosttest.Machine) {
			m.SetTask(prepareUnit, host.TaskState{})
			m.Put(bootIDPath, "boot-2\n", 0o444)
		},
		"gone":     func(m *hosttest.Machine) { m.SetTask(prepareUnit, host.TaskState{}) },
		"stopped":  func(m *hosttest.Machine) { m.SetTask(prepareUnit, host.TaskState{State: "inactive"}) },
		"namesake": func(m *hosttest.Machine) { m.SetTask(prepareUnit, well); m.Put(bootIDPath, "boot-2\n", 0o444) },
	} {
		t.Run(name, func(t *testing.T) {
			m := scripted(t, goesOn)
			s := theScript()
			goesOnIn(t, m, s)
			cut(m)
			refuses(t, m, s, "was cut short", "how far it came", "rm "+s.entry())
			if launches(m) != 1 {
				t.Errorf("run %d times", launches(m))
			}
		})
	}
}

// The two ways that an error names, after a run that failed and whose unit is
// still there; and the first of them while it goes on.
func TestScriptThatAPersonLetsRunAgain(t *testing.T) {
	m := scripted(t, badly)
	s := theScript()
	if err := walk(t, m.Host(), s); err == nil {
		t.Fatal("it has not failed")
	}
	m.Put(s.done(), "", 0o600)
	isSo(t, m.Host(), s)
	for _, p := range []string{s.done(), s.entry()} {
		if err := m.Host().Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	m.OnLaunch(func(host.Task) host.TaskState { return goesOn })
	goesOnIn(t, m, s)
	if err := m.Host().Remove(s.entry()); err != nil {
		t.Fatal(err)
	}
	goesOnIn(t, m, s)
	if launches(m) != 2 {
		t.Errorf("run %d times", launches(m))
	}
	m.SetTask(prepareUnit, well)
	m.OnLaunch(nil)
	if err := walk(t, m.Host(), s); err != nil || launches(m) != 3 {
		t.Errorf("%v, run %d times", err, launches(m))
	}
}

// A journal that cannot be understood is never taken for one that says no.
func TestScriptWithADamagedJournal(t *testing.T) {
	for text, words := range map[string]string{"": "is damaged", "{}": "another version", `{"version": 2, "state": "done"}`: "another version", `{"version": 1, "state": "x"}`: "another version"} {
		m := scripted(t, well)
		s := theScript()
		m.Put(s.entry(), text, 0o600)
		refuses(t, m, s, words, "rm "+s.entry())
	}
	m := scripted(t, well)
	for _, s := range []Script{{Path: prepare}, {Path: "prepare", Journal: "/x"}} {
		refuses(t, m, s, "absolute paths")
	}
}
