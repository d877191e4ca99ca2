package logins

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Of thousands of local users the worst is found as if each were worked out.
func TestUsersOfOneKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
		var users, names []string
		for i := range rapid.IntRange(1, 6).Draw(t, "users") {
			name := fmt.Sprintf("u%d", i)
			uid := 1000 + rapid.IntRange(0, 6).Draw(t, "uid")
			names = append(names, name)
			users = append(users, fmt.Sprintf("%s:x:%d:100::%s/%s:/bin/sh\n", name, uid, pick("home", "/home", "/net"), name))
		}
		l := Login{
			Running: rapid.SampledFrom([]Running{{Nslcd: true}, {SSSD: true}, {PADL: true}}).Draw(t, "client"),
			Sshd:    pick("sshd", "", "authorizedkeyscommand /x\nauthorizedkeyscommanduser u1\n"),
			Mounts:  pick("mounts", "", "nas:/ /net nfs soft,timeo=50,retrans=1 0 0\n"),
			Files: map[string]string{
				passwdPath:         strings.Join(users, ""),
				groupPath:          pick("group", "", "adm:x:4:u0,u2\n"),
				nsswitchPath:       pick("nsswitch", "group: files ldap sss\n", "group: files ldap sss\ninitgroups: files ldap sss\n"),
				nslcdPath:          "uri ldap://10.9.9.9\n" + pick("nslcd", "", "nss_initgroups_ignoreusers u1,u3\n"),
				"/etc/ldap.conf":   "uri ldap://10.9.9.9\n" + pick("padl", "", "nss_initgroups_ignoreusers u1,u3\n"),
				sssdPath:           "[sssd]\ndomains=d\n[nss]\n" + pick("sssd", "", "filter_users=root,u2\n") + "[domain/d]\nid_provider=ldap\nldap_uri=ldap://10.9.9.9\n",
				pamFolder + "sshd": "account " + pick("pam", "sufficient pam_succeed_if.so uid < 1003", "[success=1 default=ignore] pam_succeed_if.so uid eq 1002", "optional pam_env.so", "sufficient pam_localuser.so") + "\naccount required pam_ldap.so minimum_uid=" + pick("minimum", "1001", "1004") + "\naccount required pam_sss.so\n",
			},
		}
		together := BudgetOf(l)
		for _, s := range []Servers{AllUp, AllDown, AllHung, AllSlow} {
			var worst Bound
			for _, name := range names {
				l.Local = name
				worst = longer(worst, BudgetOf(l).Case(LocalUser, s).Before)
			}
			if got := together.Case(LocalUser, s).Before; got != worst {
				t.Fatalf("servers %s: %s, and one by one %s", s, got, worst)
			}
		}
	})
}

func TestManyUsersAreWorkedOutQuickly(t *testing.T) {
	var users strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&users, "u%d:x:%d:1000::/home/u%d:/bin/sh\n", i, 1000+i, i)
	}
	l := measuredLogin(map[string]string{passwdPath: users.String()})
	m := newLoginMachine(l)
	if n := len(m.people(LocalUser)); n > 10 {
		t.Errorf("%d people of 4000 users are worked out", n)
	}
	start := time.Now()
	BudgetOf(l)
	t.Logf("took %v", time.Since(start))
}
