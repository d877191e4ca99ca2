package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

func codesOf(g *api.BreakGlass) string {
	var out []string
	for _, f := range g.Findings {
		if f.Severity != "info" {
			out = append(out, f.Code)
		}
	}
	return strings.Join(out, " ")
}

// Every pass says whether the break-glass account gets in; where it does not,
// loudly, and the pass is none the worse for it.
func TestEveryPassProvesTheBreakGlassAccount(t *testing.T) {
	m := machine(t, thisID)
	r := gatePass(t, m, withLimits(""))
	if g := r.BreakGlass; r.State != api.Ready || g == nil || !g.Proven || g.User != "admin" || g.Findings == nil || len(r.Notes) != 0 {
		t.Fatalf("%+v\n%s", g, text(r))
	}
	if got := m.Read("/etc/group"); got != "root:x:0:\nusers:x:100:admin\nnslcd:x:112:\n" {
		t.Errorf("the group line: %q", got)
	}
	if err := os.Chmod(filepath.Join(m.Root, "home/admin/.ssh"), 0o777); err != nil {
		t.Fatal(err)
	}
	m.Put("/etc/sudoers.d/90-users", "eve ALL=(ALL) ALL\n", 0o644)
	for _, kind := range []Kind{Boot, Timer} {
		c := config(t, m.Host(), crawl(thisID))
		c.RoleDirs = nil
		out, err := Pass{Config: c, Kind: kind}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r = out.Report
		if codesOf(r.BreakGlass) != "break-glass-modes break-glass-key break-glass-sudo" || r.BreakGlass.Proven || r.State != api.Ready {
			t.Errorf("%s: %s, %+v", kind, r.State, r.BreakGlass)
		}
		if len(r.Notes) != 1 || !strings.HasPrefix(r.Notes[0], "NOT PROVEN: that the break-glass account admin gets in") || !strings.Contains(r.Notes[0], "break-glass-modes, break-glass-key, break-glass-sudo") {
			t.Errorf("%s: notes %q", kind, r.Notes)
		}
		for _, f := range r.BreakGlass.Findings {
			if f.Title == "" || f.Remedy == "" || !strings.Contains(f.Title, "admin (directory.break_glass from role file /etc/reveille/roles.d/mysql.yaml") {
				t.Errorf("%+v", f)
			}
		}
	}
	if slices.ContainsFunc(m.Effects(), func(e string) bool { return strings.HasPrefix(e, "run:") }) {
		t.Errorf("a pass ran a program: %v", m.Effects())
	}
	kept := m.Read("/run/reveille/report.json")
	if !strings.Contains(kept, `"break_glass": {`) || strings.Contains(kept, "AAAAC3") {
		t.Errorf("%s", kept)
	}
	if r := gatePass(t, m, "role: mysql\nmatch: {security_groups: [mysql]}\n"); r.BreakGlass != nil {
		t.Errorf("without a directory: %+v", r.BreakGlass)
	}
	if got := m.Read("/etc/group"); got != "root:x:0:\nusers:x:100:\nnslcd:x:112:\n" {
		t.Errorf("a directory that nobody asks for any more leaves %q", got)
	}
}

// A boot's pass comes before autofs: what that is about to mount over the
// account's home is in its maps alone.
func TestTheProofForeseesAutofs(t *testing.T) {
	const enabled = "/etc/systemd/system/multi-user.target.wants/autofs.service"
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"over all homes": {map[string]string{"/etc/auto.master": "/home /etc/auto.home\n", "/etc/auto.home": "* nas:/home/&\n", enabled: "x"}, "break-glass-home"},
		"by a folder":    {map[string]string{"/etc/auto.master": "+dir:/etc/auto.master.d\n", "/etc/auto.master.d/h.autofs": "/home /srv/homes\n", "/srv/homes": "admin nas:/home/&\n", enabled: "x"}, "break-glass-home"},
		"elsewhere":      {map[string]string{"/etc/auto.master": "/nfs /etc/auto.home\n", "/etc/auto.home": "* nas:/home/&\n", enabled: "x"}, ""},
		"not enabled":    {map[string]string{"/etc/auto.master": "/home /etc/auto.home\n", "/etc/auto.home": "* nas:/home/&\n"}, ""},
	} {
		m := loginMachine(t, tt.files)
		if r := gatePass(t, m, withLimits("")); codesOf(r.BreakGlass) != tt.want || r.BreakGlass.Proven != (tt.want == "") {
			t.Errorf("%s: %+v", name, r.BreakGlass)
		}
	}
}

// A rule that names the group is a reason to leave it alone, and so is a group
// of another number.
func TestTheGroupLineIsLeftToAPerson(t *testing.T) {
	for name, spoil := range map[string]func(*hosttest.Machine){
		"a rule":         func(m *hosttest.Machine) { m.Put("/etc/ssh/sshd_config", "DenyGroups users\n", 0o644) },
		"another number": func(m *hosttest.Machine) { m.Put("/etc/group", "root:x:0:\nusers:x:985:\nnslcd:x:112:\n", 0o644) },
	} {
		m := machine(t, thisID)
		spoil(m)
		before := m.Read("/etc/group")
		r := gatePass(t, m, withLimits(""))
		if m.Read("/etc/group") != before || codesOf(r.BreakGlass) != "break-glass-group-line" || r.State != api.Ready {
			t.Errorf("%s: %q\n%s", name, m.Read("/etc/group"), text(r))
		}
	}
}

// nslcd knows at its start who is local: one who came later is a reason for
// another, and a changed line of /etc/passwd is none.
func TestNslcdLearnsOfANewLocalUser(t *testing.T) {
	m := machine(t, thisID)
	gatePass(t, m, withLimits(""))
	restarts := func() int {
		n := 0
		for _, j := range m.Jobs() {
			if strings.Contains(j, "nslcd") {
				n++
			}
		}
		return n
	}
	before := restarts()
	passwd := m.Read("/etc/passwd")
	m.Put("/etc/passwd", strings.Replace(passwd, ":/bin/sh", ":/bin/bash", 1), 0o644)
	gatePass(t, m, withLimits(""))
	if restarts() != before {
		t.Errorf("a changed shell restarted it")
	}
	m.Put("/etc/passwd", passwd+"ops:x:1001:1001::/home/ops:/bin/sh\n", 0o644)
	gatePass(t, m, withLimits(""))
	gatePass(t, m, withLimits(""))
	if restarts() != before+1 {
		t.Errorf("%d restarts for one new user: %v", restarts()-before, m.Jobs())
	}
}
