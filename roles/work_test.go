package roles

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/plan/plantest"
	"reveille/bootstrap/userdata"
)

const work = `role: mysql
vars: {port: "3306"}
resolver: {nameservers: [10.0.0.2]}
scripts: {startup: [/opt/a, /opt/b]}
services: [mysql.service, "backup@${port}.timer"]
ready:
  - {tcp: "${private_ip}:${port}", timeout: 90s}
  - {command: [/opt/check, "${hostname}"]}
`

func planOf(t *testing.T, f facts.Facts, sources ...Source) plan.Plan {
	t.Helper()
	steps, err := Plan(f, mustResolve(t, f, sources...))
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func stepOf(t *testing.T, steps plan.Plan, id string) plan.Step {
	t.Helper()
	i := slices.Index(steps.IDs(), id)
	if i < 0 {
		t.Fatalf("no step %s in %v", id, steps.IDs())
	}
	return steps[i]
}

func TestWorkIsReadWithItsNames(t *testing.T) {
	p := mustResolve(t, machine(says("role=mysql", "hostname=db01")), role("mysql", work))
	if d := cmp.Diff([]string{"mysql.service", "backup@3306.timer"}, p.Services); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Ready{
		{TCP: "10.0.0.10:3306", Timeout: 90 * time.Second},
		{Command: []string{"/opt/check", "db01"}, Timeout: 2 * time.Minute},
	}, p.Ready); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(&Scripts{Startup: []string{"/opt/a", "/opt/b"}, StartupTimeout: 2 * time.Minute, ShutdownTimeout: 20 * time.Second}, p.Scripts); d != "" {
		t.Error(d)
	}
	text, err := p.Explain("ready")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, text, "ready = [{tcp: 10.0.0.10:3306, timeout: 90s}, {command: [/opt/check, db01]}]", "set by     role file mysql.yaml:6",
		`written    [{tcp: ${private_ip}:${port}, timeout: 90s}, {command: [/opt/check, ${hostname}]}]`)
	if _, err := p.Explain("ready.tcp"); err == nil {
		t.Error("a key inside of a list is explained")
	}
}

// A later layer replaces the whole list, or takes it away.
func TestWorkOfLayers(t *testing.T) {
	f := machine(says("role=mysql", "services=other.service", "scripts.startup="))
	p := mustResolve(t, f, role("mysql", work), local("ready: null"))
	if !slices.Equal(p.Services, []string{"other.service"}) || len(p.Ready) > 0 || len(p.Scripts.Startup) > 0 {
		t.Errorf("%+v", p)
	}
	contains(t, p.Why("services"), "services from user-data:2")
}

// Scripts prepare the machine, then services start, then it is asked whether
// they do their work. A script that runs once waits for all that a program
// leans on; a service waits for no file that could fail without it.
func TestWorkComesInItsOrder(t *testing.T) {
	f := machine(says("role=mysql"))
	steps := planOf(t, f, role("mysql", work))
	for id, want := range map[string][]string{
		"script:/opt/a":             {"file:/etc/hosts", "file:/etc/hostname", "hostname", "file:/etc/resolv.conf"},
		"script:/opt/b":             {"script:/opt/a"},
		"service:mysql.service":     {"hostname", "script:/opt/a", "script:/opt/b"},
		"ready:tcp:10.0.0.10:3306":  {"service:mysql.service", "service:backup@3306.timer"},
		"service:backup@3306.timer": {"hostname", "script:/opt/a", "script:/opt/b"},
	} {
		s := stepOf(t, steps, id)
		if d := cmp.Diff(want, s.Needs); d != "" || !s.Required {
			t.Errorf("%s, required %v: needs %s", id, s.Required, d)
		}
	}
	alone := planOf(t, f, role("mysql", "role: mysql\nservices: [a.service]\nresolver: {nameservers: [10.0.0.2]}\n"))
	if d := cmp.Diff([]string{"hostname"}, stepOf(t, alone, "service:a.service").Needs); d != "" {
		t.Error(d)
	}
	for _, s := range steps.Offline() {
		if slices.Contains([]string{"scripts", "services", "ready"}, s.Concern) {
			t.Errorf("%s is asked of a machine in a folder", s.ID())
		}
	}
}

// Where nobody knows which instance this is, nobody knows whether a script has
// been run on it.
func TestScriptsWaitForTheInstanceID(t *testing.T) {
	f := machine(says("role=mysql"))
	f.Instance.ID = facts.Unknown[string](facts.TimedOut, "")
	steps := planOf(t, f, role("mysql", strings.ReplaceAll(work, "${hostname}", "x")))
	contains(t, plantest.Describe(steps), "left as it is until this is known: the instance's id")
	f.Machine.DMI = "i-0123456789abcdef0"
	steps = planOf(t, f, role("mysql", work))
	contains(t, stepOf(t, steps, "script:/opt/a").Resource.(plan.Describer).Describe(), "/var/lib/reveille/instances/i-0123456789abcdef0/scripts")
}

// Whoever may tag an instance may not run programs on it, whatever the local
// file allows; whoever launches it may.
func TestTagsNeverRunAnything(t *testing.T) {
	for _, key := range []string{"services", "ready", "scripts", "scripts.startup", "scripts.shutdown_timeout"} {
		_, err := Resolve(machine(), []Source{local("tags_may_set: [" + key + "]")})
		refused(t, err, "local.yaml:1:16: tags_may_set: "+key+" can never be set by a tag")
	}
	p := mustResolve(t, machine(tagged("reveille:services", "a.service", "reveille:scripts.startup", "/tmp/x", "reveille:ready", "x")), local("tags_may_set: [vars]"))
	if p.Services != nil || p.Scripts != nil || p.Ready != nil || len(p.Notes) != 3 {
		t.Errorf("%+v", p)
	}
	p = mustResolve(t, machine(part("part 1", userdata.YAML, "#reveille\nservices: [a.service]\nready: [{file: /a}]\n")))
	if len(p.Services) != 1 || len(p.Ready) != 1 {
		t.Errorf("user-data is not heard: %+v", p)
	}
}

func TestReadyNeedsMoreThanALine(t *testing.T) {
	_, err := Resolve(machine(says("hostname=a", "ready=tcp:1")), nil)
	refused(t, err, "user-data:2:1: ready is a list of maps", "begins with #reveille")
}
