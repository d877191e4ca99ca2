package agent

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/roles/budget"
)

// What the step takes for a stack that leaves local users alone is one by the
// budget's own reading of PAM, which knows more of it: it follows every jump.
func TestBothReadingsOfPAMAgree(t *testing.T) {
	const account = "/etc/pam.d/common-account"
	asked := func(stack string) bool {
		b := Budget(facts.Login{Files: map[string]string{
			"/etc/pam.d/sshd": "@include common-account\n", account: stack,
			"/etc/nsswitch.conf": "passwd: files\ngroup: files\n", "/etc/passwd": "bob:x:1001:1001::/home/bob:/bin/sh\n",
			"/etc/nslcd.conf": "uri ldap://10.9.9.9\n",
		}, Running: facts.LoginRunning{Nslcd: true}}, "", "")
		for _, t := range b.Case(budget.LocalUser, budget.AllDown).Terms {
			if strings.Contains(t.What, "pam_ldap's account phase") {
				return true
			}
		}
		return false
	}
	line := rapid.SampledFrom([]string{
		"account required pam_permit.so\n", "account [success=1 default=ignore] pam_unix.so\n", "account requisite pam_deny.so\n",
		"account [success=ok user_unknown=ignore default=bad] pam_ldap.so\n", "account required pam_ldap.so\n", "account sufficient pam_ldap.so\n",
		"account sufficient pam_localuser.so\n", "account [success=1 default=ignore] pam_localuser.so\n", "# account required pam_ldap.so\n", "auth required pam_ldap.so\n", "\n",
	})
	guarded, open := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		stack := strings.Join(rapid.SliceOfN(line, 1, 6).Draw(t, "stack"), "")
		after := map[string]string{account: stack}
		resource.PAMProfile{}.AfterPAM(after)
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
