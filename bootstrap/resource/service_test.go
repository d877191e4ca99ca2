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

const mysql = "mysql.service"

func TestService(t *testing.T) {
	for _, c := range []struct {
		name, state string
		started     bool // by us, in this boot
		say, err    string
		waits       bool
	}{
		{name: "starts", state: "inactive", say: "start mysql.service"},
		{name: "runs", state: "active"},
		{name: "reads its files anew", state: "reloading", started: true},
		{name: "on its way", state: "activating", waits: true},
		{name: "on its way by us", state: "activating", started: true, waits: true},
		{name: "on its way down", state: "deactivating", waits: true},
		{name: "failed before we came", state: "failed", say: "start mysql.service"},
		{name: "failed", state: "failed", started: true, err: "journalctl -u mysql.service"},
		{name: "somebody stopped it", state: "inactive", started: true, err: "somebody stopped it, or it ended"},
		{name: "masked", state: "masked", err: "systemctl unmask mysql.service"},
		{name: "not installed", state: "absent", err: "install the package"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, nil)
			s := Service{Name: mysql}
			if c.started {
				m.SetUnit(mysql, "inactive")
				run(t, check(t, m.Host(), s))
			}
			m.SetUnit(mysql, c.state)
			changes, err := s.Check(context.Background(), m.Host())
			var wait *plan.NotYet
			switch {
			case c.waits && (!errors.As(err, &wait) || !strings.Contains(wait.For, mysql)):
				t.Errorf("%v, want a wait for the service", err)
			case c.err != "" && (err == nil || errors.As(err, &wait) || !strings.Contains(err.Error(), c.err)):
				t.Errorf("%v, want %q", err, c.err)
			case c.err == "" && !c.waits && err != nil:
				t.Error(err)
			}
			if (len(changes) == 1) != (c.say != "") || (c.say != "" && (changes[0].Say != c.say || changes[0].Risk != plan.Disrupts)) {
				t.Errorf("%+v, want %q", changes, c.say)
			}
		})
	}
}

// It asks systemd once and goes on: no job is waited for.
func TestServiceDoesNotWaitForItsJob(t *testing.T) {
	m := hosttest.New(t, nil)
	m.SetUnit(mysql, "inactive")
	m.OnJob(func(_, name string) { m.SetUnit(name, "activating") })
	s := Service{Name: mysql}
	run(t, check(t, m.Host(), s))
	var wait *plan.NotYet
	if changes, err := s.Check(context.Background(), m.Host()); !errors.As(err, &wait) || len(changes) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
	m.SetUnit(mysql, "active")
	isSo(t, m.Host(), s)
	if want := []string{"start " + mysql}; !slices.Equal(m.Jobs(), want) {
		t.Errorf("asked for %v, want %v", m.Jobs(), want)
	}
}

// A service that others had started, and that a person stops after a pass that
// ended well, stays stopped; in the next boot it is started.
func TestServiceStaysStopped(t *testing.T) {
	m := hosttest.New(t, nil)
	m.SetUnit(mysql, "active")
	s := Service{Name: mysql}
	isSo(t, m.Host(), s)
	if err := s.Confirm(m.Host()); err != nil {
		t.Fatal(err)
	}
	m.SetUnit(mysql, "inactive")
	if changes, err := s.Check(context.Background(), m.Host()); err == nil || len(changes) > 0 {
		t.Errorf("%+v, %v: a service that a person stopped is started again", changes, err)
	}
	if err := m.Host().RemoveAll("/run/reveille"); err != nil { // a boot
		t.Fatal(err)
	}
	if len(check(t, m.Host(), s)) != 1 {
		t.Error("it is not started in the next boot")
	}
}

func TestServiceTellsThatItIsEnabled(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/systemd/system/multi-user.target.wants/mysqlx.service": "-> /lib/systemd/system/mysqlx.service",
	})
	s := Service{Name: mysql}
	if notes := s.Notes(m.Host()); len(notes) > 0 {
		t.Errorf("a disabled one: %q", notes)
	}
	m.Put("/etc/systemd/system/multi-user.target.wants/mysql.service", "-> /lib/systemd/system/mysql.service", 0)
	notes := s.Notes(m.Host())
	if len(notes) != 1 || !strings.Contains(notes[0], "multi-user.target.wants/mysql.service") || !strings.Contains(notes[0], "systemctl disable mysql.service") {
		t.Errorf("%q", notes)
	}
}

func TestServiceNamesAreNames(t *testing.T) {
	m := hosttest.New(t, nil)
	for _, name := range []string{"", "../../etc/shadow", "a/b.service"} {
		if _, err := (Service{Name: name}).Check(context.Background(), m.Host()); err == nil {
			t.Errorf("%q is taken for a unit", name)
		}
	}
}

// A drop-in that was written in this boot holds from the first start on.
func TestServiceStartsByItsPresentFiles(t *testing.T) {
	for reload, want := range map[bool][]string{false: {"start " + mysql}, true: {"daemon-reload", "start " + mysql}} {
		m := hosttest.New(t, nil)
		m.SetUnit(mysql, "inactive")
		run(t, check(t, m.Host(), Service{Name: mysql, Reload: reload}))
		if got := m.Jobs(); !slices.Equal(got, want) {
			t.Errorf("reload %v: %v", reload, got)
		}
	}
}

// A drop-in holds from when it is written, also for whoever starts the unit by
// hand; one that is so already asks nothing of systemd.
func TestADropInHoldsAtOnce(t *testing.T) {
	m := hosttest.New(t, nil)
	f := File{Path: "/etc/systemd/system/mysql.service.d/x.conf", Mode: 0o644, Content: []byte("[Unit]\n"), Reload: true}
	run(t, check(t, m.Host(), f))
	isSo(t, m.Host(), f)
	if got := m.Jobs(); !slices.Equal(got, []string{"daemon-reload"}) {
		t.Errorf("%v", got)
	}
}
