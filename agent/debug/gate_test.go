package debug

import (
	"strings"
	"testing"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/roles"
)

// What a pass would refuse, a dry run says in the same words.
func TestPlanShowsTheGate(t *testing.T) {
	files := slowLogins()
	files["/etc/nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\n"
	files["/etc/nslcd.conf"] = "uri ldap://10.9.9.9\nbase dc=acme\nbind_timelimit 1\ntimelimit 1\n"
	files["/etc/group"] = "nslcd:x:112:\n"
	m := hosttest.New(t, files)
	w := wantedWith(facts.Has{Nslcd: true})
	w.Profile.Directory.TimeLimit = time.Minute
	p, err := roles.Plan(w.Facts, w.Profile)
	if err != nil {
		t.Fatal(err)
	}
	w.Plan = p.Offline()
	steps, err := Plan(t.Context(), m.Offline(), w)
	if err != nil || !Impossible(steps) {
		t.Fatalf("%v %+v", err, steps)
	}
	_, guarded := agent.Guard(m.Offline(), w, w.Plan, plan.Disrupts)
	walked, err := converge.Run(t.Context(), m.Offline(), guarded, converge.Options{Max: plan.Disrupts})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, r := range walked.Results {
		if r.Err != nil && strings.HasPrefix(r.Err.Error(), agent.ErrLockout.Error()) {
			refused++
		}
		if got := steps[i]; got.State != string(r.State) || r.Err != nil && got.Error != r.Err.Error() {
			t.Errorf("%s: planned %s %q, done %s %v", got.ID, got.State, got.Error, r.State, r.Err)
		}
		if steps[i].Wants == "" {
			t.Errorf("%s does not say what it wants", steps[i].ID)
		}
	}
	var b strings.Builder
	WritePlan(&b, steps, true)
	if refused == 0 || !strings.Contains(b.String(), "  error: refused, and what is there stays: the login of admin") {
		t.Errorf("%d refused:\n%s", refused, b.String())
	}
}

// A look at what would be done takes PAM's change as done, and does it not.
func TestADryRunForetellsPAM(t *testing.T) {
	for _, pam := range []bool{true, false} {
		m := hosttest.New(t, map[string]string{
			"/etc/os-release": "ID=debian\n", "/etc/passwd": "admin:x:1000:1000::/home/admin:/bin/sh\n", "/etc/group": "nslcd:x:112:\nadm:x:4:admin\n",
			"/etc/pam.d/sshd": "@include common-account\n", "/etc/pam.d/common-account": "account required pam_ldap.so\n",
		})
		m.SetUnit("nslcd.service", "active")
		w := wantedWith(facts.Has{Nslcd: true, PAMLDAP: pam})
		w.Profile.Directory.TimeLimit = 40 * time.Second
		p, err := roles.Plan(w.Facts, w.Profile)
		if err != nil {
			t.Fatal(err)
		}
		w.Plan = p
		steps, err := Plan(t.Context(), m.Host(), w)
		if err != nil || Impossible(steps) == pam {
			t.Errorf("with pam_ldap.so %v: %v %+v", pam, err, steps)
		}
		if m.Writes() > 0 {
			t.Errorf("it did %v", m.Effects())
		}
	}
}
