package resource

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

const nslcd = "nslcd.service"

func TestUnitJudges(t *testing.T) {
	conf := []File{{Path: "/etc/nslcd.conf", Content: []byte("x")}}
	own := []File{{Path: "/etc/systemd/system/" + nslcd, Content: []byte("x")}}
	for _, c := range []struct {
		name    string
		state   string
		unit    Unit
		started bool // by us, since the files last changed
		say     string
		waits   bool
		err     string
	}{
		{name: "runs, and is ours", state: "active", unit: Unit{Reads: conf}, started: true},
		{name: "runs with other files", state: "active", unit: Unit{Reads: conf}, say: "restart nslcd.service (its files"},
		{name: "runs with other files, reloaded", state: "active", unit: Unit{Reads: conf, Reload: true}, say: "reload nslcd.service (its files"},
		{name: "on its way, reloaded", state: "activating", unit: Unit{Reads: conf, Reload: true}, waits: true},
		{name: "does not run, reloaded", state: "inactive", unit: Unit{Reads: conf, Reload: true}},
		{name: "runs and reads nothing", state: "active", unit: Unit{Start: true}},
		{name: "does not run", state: "inactive", unit: Unit{Reads: conf}},
		{name: "does not run and should", state: "inactive", unit: Unit{Reads: conf, Start: true}, say: "start nslcd.service"},
		{name: "failed before us", state: "failed", unit: Unit{Reads: conf}},
		{name: "failed before us and should run", state: "failed", unit: Unit{Reads: conf, Start: true}, say: "start nslcd.service"},
		{name: "failed since", state: "failed", unit: Unit{Reads: conf}, started: true, err: "journalctl -u nslcd.service"},
		{name: "stopped since", state: "inactive", unit: Unit{Reads: conf, Start: true}, started: true, err: "somebody stopped it"},
		{name: "stopped since, by right", state: "inactive", unit: Unit{Reads: conf}, started: true},
		{name: "on its way", state: "activating", unit: Unit{Reads: conf}, started: true, waits: true},
		{name: "on its way with who knows what", state: "activating", unit: Unit{Reads: conf}, say: "restart nslcd.service"},
		{name: "on its way down", state: "deactivating", unit: Unit{Reads: conf}, waits: true},
		{name: "masked", state: "masked", unit: Unit{Reads: conf}},
		{name: "masked and should run", state: "masked", unit: Unit{Start: true}, err: "systemctl unmask nslcd.service"},
		{name: "not installed", state: "absent", unit: Unit{Reads: conf}, err: "install the package nslcd (Debian, Ubuntu)"},
		{name: "just written", state: "absent", unit: Unit{Reads: own, Start: true}, say: "start nslcd.service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.unit.Name = nslcd
			m := hosttest.New(t, nil)
			if c.started {
				m.SetUnit(nslcd, "active")
				u := c.unit
				u.Reads = append(slices.Clone(u.Reads), File{Path: "/etc/before", Content: []byte("x")})
				run(t, check(t, m.Host(), u))
				run(t, check(t, m.Host(), c.unit))
			}
			m.SetUnit(nslcd, c.state)
			changes, err := c.unit.Check(context.Background(), m.Host())
			var wait *plan.NotYet
			switch {
			case c.waits && (!errors.As(err, &wait) || wait.Facts || !strings.Contains(wait.For, nslcd)):
				t.Errorf("%v, want a wait for the unit", err)
			case c.err != "" && (err == nil || errors.As(err, &wait) || !strings.Contains(err.Error(), c.err)):
				t.Errorf("%v, want %q", err, c.err)
			case c.err == "" && !c.waits && err != nil:
				t.Error(err)
			}
			if (len(changes) == 1) != (c.say != "") || (c.say != "" && !strings.HasPrefix(changes[0].Say, c.say)) {
				t.Errorf("%+v, want %q", changes, c.say)
			}
		})
	}
}

// It asks systemd and goes on: the wait is NotYet's, and nothing is asked twice.
func TestUnitDoesNotWaitForItsJob(t *testing.T) {
	m := hosttest.New(t, nil)
	m.SetUnit(nslcd, "active")
	m.OnJob(func(_, name string) { m.SetUnit(name, "activating") })
	u := Unit{Name: nslcd, Reads: []File{{Path: "/etc/systemd/system/nslcd.service.d/x.conf", Content: []byte("x")}}}
	run(t, check(t, m.Host(), u))
	var wait *plan.NotYet
	if changes, err := u.Check(context.Background(), m.Host()); !errors.As(err, &wait) || len(changes) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
	m.SetUnit(nslcd, "active")
	isSo(t, m.Host(), u)
	want := []string{"daemon-reload", "try-restart " + nslcd}
	if !slices.Equal(m.Jobs(), want) {
		t.Errorf("asked for %v, want %v", m.Jobs(), want)
	}
}

// What a unit reads is what its files should hold: a change of a secret
// restarts it, somebody's line beside our edit does not.
func TestUnitRestartsForWhatIsOurs(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/pw": "one\n", "/etc/hosts": "x\n"})
	m.SetUnit(nslcd, "active")
	u := Unit{Name: nslcd, Reads: []File{
		{Path: "/etc/nslcd.conf", Content: []byte("@PW@"), Secrets: map[string]string{"@PW@": "/etc/pw"}},
		{Path: "/etc/hosts", Edit: Block{Name: "n", Lines: []string{"y"}}},
	}}
	run(t, check(t, m.Host(), u))
	m.Put("/etc/hosts", "x\nsomebody's\n", 0o644)
	isSo(t, m.Host(), u)
	m.Put("/etc/pw", "two\n", 0o600)
	if len(check(t, m.Host(), u)) != 1 {
		t.Error("another password, and it goes on with the old one")
	}
}

func TestUnitNamesAreNames(t *testing.T) {
	m := hosttest.New(t, nil)
	for _, name := range []string{"", "../../etc/shadow", "a/b.service"} {
		if _, err := (Unit{Name: name}).Check(context.Background(), m.Host()); err == nil {
			t.Errorf("%q is taken for a unit", name)
		}
	}
}

func TestHostname(t *testing.T) {
	m := hosttest.New(t, nil)
	m.SetHostname("ip-10-0-0-1")
	for _, name := range []string{"", strings.Repeat("x", 65)} {
		if _, err := (Hostname{Name: name}).Check(context.Background(), m.Host()); err == nil {
			t.Errorf("%q is taken for a host name", name)
		}
	}
	for _, name := range []string{"a", "b", "b"} {
		run(t, check(t, m.Host(), Hostname{Name: name}))
		isSo(t, m.Host(), Hostname{Name: name})
	}
	restoreAll(t, m)
	if m.Hostname() != "ip-10-0-0-1" {
		t.Errorf("restored to %s, not to the name before the first change", m.Hostname())
	}
}
