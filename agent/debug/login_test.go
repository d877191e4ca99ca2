package debug

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles"
	"reveille/roles/logins"
)

// slowLogins is a machine on which all that can wait for its directory does.
func slowLogins() map[string]string {
	return map[string]string{
		"/etc/nsswitch.conf": "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\nhosts: files dns\n",
		"/etc/nslcd.conf":    "uri ldap://10.9.9.9\nbase dc=acme\n",
		"/etc/passwd":        "admin:x:1000:1000::/home/admin:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
		"/etc/pam.d/sshd":    "account required pam_ldap.so\n",
		"/usr/sbin/nslcd":    "",
	}
}

func wantedWith(has facts.Has) agent.Wanted {
	var w agent.Wanted
	w.Facts.Machine.OS.ID, w.Facts.Machine.Has = "debian", has
	w.Facts.Instance.Zone, w.Facts.Instance.Region = facts.Known("us-east-1a"), facts.Known("us-east-1")
	w.Profile.Directory = &roles.Directory{Client: "auto", URIs: []string{"ldap://10.9.9.9"}, Base: "dc=acme",
		BindTimeLimit: 2 * time.Second, TimeLimit: 5 * time.Second, BreakGlass: "admin"}
	return w
}

func readSlow(t *testing.T, nslcd string) facts.Login {
	m := hosttest.New(t, slowLogins())
	m.SetUnit("nslcd.service", nslcd)
	return facts.ReadLogin(t.Context(), m.Host())
}

func TestLoginsNowAndAfter(t *testing.T) {
	r := Logins(readSlow(t, "active"), wantedWith(facts.Has{Nslcd: true}), nil, LoginAsked{})
	if r.BreakGlass != "admin" || len(r.Now.Over) == 0 || r.After == nil || len(r.After.Over) != 0 || !r.TooLong() {
		t.Fatalf("%+v", r)
	}
	if r.Now.GraceS != 120 || r.Now.LimitS != 30 {
		t.Errorf("limits %g %g", r.Now.GraceS, r.Now.LimitS)
	}
	var b strings.Builder
	WriteLogins(&b, r, []logins.Servers{logins.AllDown})
	for _, want := range []string{"; a pass mends it\n", "break-glass admin, servers all_down", "local bob, servers all_down", "by /etc/nsswitch.conf:2"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "servers hung: 3") {
		t.Errorf("a state that was not asked for:\n%s", b.String())
	}
}

// A client that does not run costs nothing, until the pass starts it.
func TestAPassStartsTheClient(t *testing.T) {
	w := wantedWith(facts.Has{Nslcd: true})
	w.Profile.Directory.TimeLimit = 600 * time.Second
	r := Logins(readSlow(t, "inactive"), w, nil, LoginAsked{})
	if len(r.Now.Over) != 0 || r.After == nil || len(r.After.Over) == 0 || !r.TooLong() {
		t.Fatalf("now %v, after %+v", r.Now.Over, r.After)
	}
	var b strings.Builder
	WriteLogins(&b, r, nil)
	for _, want := range []string{"OVER  after a pass: the login of", "\nAfter a pass:\n", "nslcd.service is installed and does not run"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestLoginsWithoutADecision(t *testing.T) {
	w := wantedWith(facts.Has{})
	r := Logins(readSlow(t, "active"), w, errors.New("IMDS is silent"), LoginAsked{BreakGlass: "bob", Local: "admin"})
	if r.After != nil || r.Undecided != "IMDS is silent" || r.BreakGlass != "bob" {
		t.Errorf("%+v", r)
	}
	for _, c := range r.Now.Cases {
		if want := map[logins.Who]string{logins.BreakGlassUser: "bob", logins.LocalUser: "admin"}[c.User]; want != "" && c.Name != want {
			t.Errorf("%s is %s", c.User, c.Name)
		}
	}
}

type badEdit struct{ resource.NSSwitch }

func (badEdit) Apply([]byte) ([]byte, error) { return nil, errors.New("no such line") }

// What cannot be laid over what is there is said; what is there stays.
func TestAfterAPass(t *testing.T) {
	now := facts.Login{Files: map[string]string{"/a": "a", "/b": "b", "/c": "c"}}
	after := agent.AfterPass(now, plan.Plan{
		{Resource: resource.File{Path: "/a", Content: []byte("A")}},
		{Resource: resource.File{Path: "/b", Edit: badEdit{}}},
		{Resource: resource.Original{Path: "/c"}},
		{Resource: resource.Original{Path: "/d"}},
		{Resource: resource.Unit{Name: "sssd.service", Start: true}},
		{Resource: resource.Unit{Name: "nslcd.service"}},
		{Resource: resource.Unit{Name: "autofs.service", Start: true}},
		{Resource: resource.Unit{Name: "nscd.service"}},
	}, nil)
	if after.Files["/a"] != "A" || after.Files["/b"] != "b" || now.Files["/a"] != "a" {
		t.Errorf("%v, now %v", after.Files, now.Files)
	}
	if notes := strings.Join(after.Notes, "\n"); len(after.Notes) != 2 || !strings.Contains(notes, "/b: what a pass would make of it is not known: no such line") || !strings.Contains(notes, "/c: a pass puts") {
		t.Errorf("notes %q", after.Notes)
	}
	if want := (facts.LoginRunning{SSSD: true, Automount: true}); after.Running != want {
		t.Errorf("running %+v", after.Running)
	}
}

func TestDoctorOfSlowLogins(t *testing.T) {
	l := readSlow(t, "active")
	l.Files["/etc/nslcd.conf"] = "uri ldap://10.9.9.9\nuri ldap://10.9.9.8\nbase dc=acme\nbind_timelimit 90\nreconnect_retrytime 600\n"
	l.Sshd = "logingracetime 30\n"
	r := Logins(l, agent.Wanted{}, errors.New("x"), LoginAsked{BreakGlass: "admin"})
	got := map[facts.Severity]int{}
	for _, f := range loginOverBudget(Patient{Logins: &r}) {
		got[f.Severity]++
		if f.Code != "login-over-budget" || !strings.Contains(f.Remedy, "/etc/") || strings.Contains(f.Remedy, "mends") {
			t.Errorf("%+v", f)
		}
	}
	if got[facts.Error] != 4 || got[facts.Warning] != 1 { // before and after of two local users; before of a directory user
		t.Errorf("%v of %v", got, r.Now.Over)
	}
	if len(loginOverBudget(Patient{})) != 0 {
		t.Error("found where nothing was read")
	}
}
