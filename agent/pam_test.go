package agent

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// What the step takes for a stack that leaves local users alone is one by the
// budget's own reading of PAM, which knows more of it: it follows every jump.
func TestBothReadingsOfPAMAgree(t *testing.T) {
	for instead, running := range map[string]facts.LoginRunning{"ldap": {Nslcd: true}, "sss": {SSSD: true}} {
		t.Run(instead, func(t *testing.T) { readingsAgree(t, instead, running) })
	}
}

func readingsAgree(t *testing.T, instead string, running facts.LoginRunning) {
	const account = "/etc/pam.d/common-account"
	module := "pam_" + instead
	asked := func(stack string) bool {
		b := Budget(facts.Login{Files: map[string]string{
			"/etc/pam.d/sshd": "@include common-account\n", account: stack,
			"/etc/nsswitch.conf": "passwd: files\ngroup: files\n", "/etc/passwd": "bob:x:1001:1001::/home/bob:/bin/sh\n",
			"/etc/nslcd.conf": "uri ldap://10.9.9.9\n", "/etc/sssd/sssd.conf": "[sssd]\ndomains=d\n[domain/d]\nid_provider=ldap\nldap_uri=ldap://10.9.9.9\n",
		}, Running: running}, "", "")
		for _, t := range b.Case(logins.LocalUser, logins.AllDown).Terms {
			if strings.Contains(t.What, module+"'s account phase") {
				return true
			}
		}
		return false
	}
	line := rapid.SampledFrom([]string{
		"account required pam_permit.so\n", "account [success=1 default=ignore] pam_unix.so\n", "account requisite pam_deny.so\n",
		"account [success=ok user_unknown=ignore default=bad] " + module + ".so\n", "account required " + module + ".so\n", "account sufficient " + module + ".so\n",
		"account sufficient pam_localuser.so\n", "account [success=1 default=ignore] pam_localuser.so\n", "# account required " + module + ".so\n", "auth required " + module + ".so\n", "\n",
	})
	guarded, open := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		stack := strings.Join(rapid.SliceOfN(line, 1, 6).Draw(t, "stack"), "")
		after := map[string]string{account: stack}
		resource.PAMProfile{Instead: instead}.AfterPAM(after)
		if after[account] == stack {
			guarded++
			if asked(stack) {
				t.Fatalf("taken for one that leaves local users alone:\n%s", stack)
			}
		} else if asked(stack) {
			open++
		}
	})
	if guarded == 0 || open == 0 {
		t.Errorf("%d leave local users alone, %d do not: the cases are too much alike", guarded, open)
	}
}

// Two clients are two steps of PAM, and what is on disk counts when both have
// ended. A look takes them as done, and a pass that may not change PAM does not
// wait for it.
func TestEveryStepOfPAMCounts(t *testing.T) {
	steps := plan.Plan{
		{Resource: resource.PAMProfile{Instead: "ldap"}, Concern: "pam"}, {Resource: resource.PAMProfile{Instead: "sss"}, Concern: "pam"},
	}
	for max, want := range map[plan.Risk][3]pamStep{
		plan.Nothing:  {pamForetold, pamForetold, pamForetold},
		plan.Safe:     {pamEnded, pamEnded, pamEnded},
		plan.Disrupts: {pamOnItsWay, pamOnItsWay, pamEnded},
		plan.Destroys: {pamOnItsWay, pamOnItsWay, pamEnded},
	} {
		g, guarded := Guard(nil, Wanted{}, steps, max)
		got := [3]pamStep{g.pamStep()}
		for i, s := range guarded {
			g.Saw(converge.Result{Step: s})
			got[i+1] = g.pamStep()
		}
		if got != want {
			t.Errorf("at most %v: %v, want %v", max, got, want)
		}
	}
}

// Whatever the gate waits for has ended when its step has, the profile of a
// client that is no longer the one among it: PAM goes last, and need not wait
// for what is done.
func TestEveryFileCountsAsEnded(t *testing.T) {
	steps := plan.Plan{
		{Resource: resource.Original{Path: resource.OurPAMProfile("ldap")}, Concern: "pam"},
		{Resource: resource.Original{Path: "/etc/nslcd.conf"}, Concern: "directory"},
		{Resource: resource.File{Path: "/etc/nsswitch.conf"}, Concern: "nameservice"},
		{Resource: resource.PAMProfile{Instead: "sss"}, Concern: "pam"},
	}
	g, guarded := Guard(nil, Wanted{}, steps, plan.Disrupts)
	for i, s := range guarded {
		if open := g.open.Load(); open != int32(max(0, 3-i)) {
			t.Errorf("%d files are open when %d have ended", open, i)
		}
		g.Saw(converge.Result{Step: s})
	}
}
