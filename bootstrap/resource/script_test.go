package resource

import (
	"context"
	"errors"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

const prepare = "/usr/local/sbin/prepare"

func theScript() Script {
	return Script{Path: prepare, Journal: "/var/lib/reveille/instances/i-1/scripts"}
}

// scripted is a machine with the script on it, which ends with these.
func scripted(t *testing.T, codes ...int) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, nil)
	m.Put(prepare, "#!/bin/sh\n", 0o755)
	for _, code := range codes {
		out := host.Output{Code: code, Stdout: []byte("begin\n"), Stderr: []byte("no space left\n")}
		var err error
		if code != 0 {
			err = &host.ExitError{Argv: []string{prepare}, Output: out}
		}
		m.Command([]string{prepare}, out, err)
	}
	return m
}

// runs counts how often the script was begun.
func runs(m *hosttest.Machine) int {
	n := 0
	for _, e := range m.Effects() {
		if e == "run:"+prepare {
			n++
		}
	}
	return n
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

func TestScriptRunsOnceOnAnInstance(t *testing.T) {
	m := scripted(t, 0)
	s := theScript()
	changes := check(t, m.Host(), s)
	if len(changes) != 1 || changes[0].Say != "run "+prepare+" (once on this instance)" || changes[0].Risk != plan.Disrupts || m.Writes() > 0 {
		t.Fatalf("%+v, %v", changes, m.Effects())
	}
	run(t, changes)
	isSo(t, m.Host(), s)
	m.Put(prepare, "#!/bin/sh\nanother version\n", 0o755)
	isSo(t, m.Host(), s)
	if runs(m) != 1 {
		t.Errorf("run %d times", runs(m))
	}
	other := s
	other.Journal = "/var/lib/reveille/instances/i-2/scripts"
	if len(check(t, m.Host(), other)) != 1 {
		t.Error("another instance does not run it")
	}
}

func TestScriptThatFailedIsNotRunAgainByItself(t *testing.T) {
	m := scripted(t, 3, 0)
	s := theScript()
	err := check(t, m.Host(), s)[0].Do(context.Background())
	entry := s.Journal + "/%2Fusr%2Flocal%2Fsbin%2Fprepare.json"
	for _, w := range []string{"exit code 3: no space left", "rm " + entry} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v, want %q", err, w)
		}
	}
	refuses(t, m, s, "failed: exit code 3: no space left", "`rm "+entry+"` lets the next pass run it")
	if runs(m) != 1 {
		t.Errorf("run %d times", runs(m))
	}
	if i, err := m.Host().Stat(s.Journal); err != nil || i.Mode.Perm() != 0o700 {
		t.Errorf("last words may be read by others: %v, %v", i.Mode, err)
	}
	if err := m.Host().Remove(entry); err != nil {
		t.Fatal(err)
	}
	run(t, check(t, m.Host(), s))
	isSo(t, m.Host(), s)
}

// A person who has finished its work by hand calls it done.
func TestScriptThatAPersonCallsDone(t *testing.T) {
	m := scripted(t, 1)
	s := theScript()
	_ = check(t, m.Host(), s)[0].Do(context.Background())
	m.Put(s.done(), "", 0o600)
	isSo(t, m.Host(), s)
}

// Killed anywhere, it is run at most once; a run that nobody saw the end of is
// said, with where to look and how to go on; and the way that is named works.
func TestScriptKilledAnywhere(t *testing.T) {
	t.Parallel() // most of the time goes into waiting for the disk
	s := theScript()
	short := 0
	for n, died := 1, true; died; n++ {
		m := scripted(t, 0)
		died = m.Kill(n, func(h *host.Host) { run(t, check(t, h, s)) })
		begun := runs(m)
		if err := Sweep(m.Host(), plan.Plan{{Resource: s}}); err != nil {
			t.Error(err)
		}
		changes, err := s.Check(context.Background(), m.Host())
		switch {
		case err != nil:
			short++
			refuses(t, m, s, "was cut short", "how far it came", s.entry())
			if err := m.Host().Remove(s.entry()); err != nil {
				t.Fatal(err)
			}
			begun = 0 // a person has asked for it
			m.Forget()
			run(t, check(t, m.Host(), s))
		case begun > 0 && len(changes) > 0:
			t.Errorf("killed at %d: begun, and it would be run again", n)
		default:
			run(t, changes)
		}
		isSo(t, m.Host(), s)
		if runs(m) != 1 {
			t.Errorf("killed at %d: run %d times, %d of them before", n, runs(m), begun)
		}
		if temps := m.Temps(); len(temps) > 0 {
			t.Errorf("killed at %d: left behind: %v", n, temps)
		}
	}
	if short < 2 {
		t.Errorf("only %d kills were between the journal and the end", short)
	}
}

// A journal that cannot be understood is never taken for one that says no.
func TestScriptWithADamagedJournal(t *testing.T) {
	for text, words := range map[string]string{"": "is damaged", "{}": "another version", `{"version": 2, "state": "done"}`: "another version", `{"version": 1, "state": "x"}`: "another version"} {
		m := scripted(t, 0)
		s := theScript()
		m.Put(s.entry(), text, 0o600)
		refuses(t, m, s, words, "rm "+s.entry())
	}
	m := scripted(t, 0)
	for _, s := range []Script{{Path: prepare}, {Path: "prepare", Journal: "/x"}} {
		refuses(t, m, s, "absolute paths")
	}
}
