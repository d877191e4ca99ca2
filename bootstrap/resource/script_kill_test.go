package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

// Killed anywhere between the first look and the note of its end, it is run at
// most once. Where it goes on, the next pass waits for it and notes its end;
// where nobody can tell, that is said, and the way that is named works.
func TestScriptKilledAnywhere(t *testing.T) {
	for name, after := range map[string]host.TaskState{"ends at once": well, "goes on": goesOn} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time goes into waiting for the disk
			short, followed := 0, 0
			for n, died := 1, true; died; n++ {
				m := scripted(t, after)
				died = m.Kill(n, func(h *host.Host) { _ = walk(t, h, theScript()) })
				if launches(m) > 0 {
					followed++
				}
				if killedAt(t, m, n) {
					short++
				}
			}
			if short == 0 || followed < 2 {
				t.Errorf("%d kills were between the journal and the launch, %d after it", short, followed)
			}
		})
	}
}

// killedAt lets the next pass see what a killed one has left, and tells
// whether it called the script cut short.
func killedAt(t *testing.T, m *hosttest.Machine, n int) (short bool) {
	t.Helper()
	s := theScript()
	begun := launches(m)
	if err := Sweep(m.Host(), plan.Plan{{Resource: s}}); err != nil {
		t.Error(err)
	}
	err := walk(t, m.Host(), s)
	var wait *plan.NotYet
	switch {
	case errors.As(err, &wait):
		m.SetTask(prepareUnit, well)
		err = walk(t, m.Host(), s)
	case err != nil:
		short = true
		refuses(t, m, s, "was cut short", s.entry())
		if begun > 0 {
			t.Errorf("killed at %d: it ran, and nobody followed it", n)
		}
		m.OnLaunch(nil)
		err = errors.Join(m.Host().Remove(s.entry()), walk(t, m.Host(), s))
	}
	if err != nil {
		t.Errorf("killed at %d: %v", n, err)
	}
	isSo(t, m.Host(), s)
	if launches(m) != 1 {
		t.Errorf("killed at %d: run %d times, %d of them before", n, launches(m), begun)
	}
	if temps := m.Temps(); len(temps) > 0 {
		t.Errorf("killed at %d: left behind: %v", n, temps)
	}
	return short
}

// launcher is a systemd with an answer of its own to a launch.
type launcher struct {
	host.Units
	host.Names
	err error
}

func (l launcher) Launch(context.Context, host.Task) error { return l.err }

// A launch that systemd refused is no run: a later pass may try. One whose
// answer never came may be a run.
func TestScriptThatCouldNotBeLaunched(t *testing.T) {
	for _, c := range []struct {
		err   error
		words string
		again bool
	}{
		{fmt.Errorf("%w: the machine goes down", host.ErrNotBegun), "was not run", true},
		{errors.New("connection reset"), "is not known", false},
	} {
		m := scripted(t, well)
		plain := m.Host()
		l := launcher{Units: plain.Units(), Names: kernelName{plain}, err: c.err}
		h, err := host.New(host.Options{Root: m.Root, Commands: m, Units: l, Names: l})
		if err != nil {
			t.Fatal(err)
		}
		s := theScript()
		if err := walk(t, h, s); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v, want %q", err, c.words)
		}
		if !c.again {
			refuses(t, m, s, "was cut short")
			continue
		}
		if err := walk(t, m.Host(), s); err != nil || launches(m) != 1 {
			t.Errorf("a later pass: %v, run %d times", err, launches(m))
		}
	}
}

type kernelName struct{ *host.Host }

// The unit's name is one that systemd takes, whatever the path.
func TestScriptUnitNames(t *testing.T) {
	long := "/opt/" + strings.Repeat("long-name/", 40)
	seen := map[string]string{}
	for path, want := range map[string]string{
		prepare: prepareUnit, "/opt/a-b": `reveille-script-opt-a\x2db.service`, "/opt/a/b": "reveille-script-opt-a-b.service",
		long + "a": "", long + "b": "",
	} {
		got := Script{Path: path}.unit()
		if want != "" && got != want || len(got) > 255 || seen[got] != "" {
			t.Errorf("%s: %s (%d bytes), want %q; also %q", path, got, len(got), want, seen[got])
		}
		seen[got] = path
	}
	if got := host.LogOf(`a\x2db`); got != "`journalctl -u 'a\\x2db'`" {
		t.Error(got)
	}
}
