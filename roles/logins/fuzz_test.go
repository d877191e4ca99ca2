package logins

import (
	"encoding/json"
	"testing"
)

// Whatever stands in the files, there is an answer, and it is JSON.
func FuzzLoginBudget(f *testing.F) {
	f.Add("group: files ldap\n", "uri ldap://a/\nbind_timelimit 0\n", "account sufficient pam_ldap.so\nsession optional pam_systemd.so\n", "usedns yes\nauthorizedkeyscommand /x\n=\n")
	f.Fuzz(func(t *testing.T, nss, nslcd, pam, sshd string) {
		l := measuredLogin(map[string]string{nsswitchPath: nss, nslcdPath: nslcd, pamFolder + "sshd": pam, pamFolder + "systemd-user": pam})
		l.Sshd, l.Files[sshdPath], l.Mounts = sshd, sshd, pam
		uriHost(nslcd)
		b := BudgetOf(l)
		if len(b.Cases) != 15 {
			t.Fatalf("%d cases", len(b.Cases))
		}
		for _, c := range b.Cases {
			if c.Before.Most < LoginWork || c.Before.Plus(c.After).Less(c.Total) {
				t.Errorf("%+v", c)
			}
		}
		if _, err := json.Marshal(b); err != nil {
			t.Error(err)
		}
	})
}
