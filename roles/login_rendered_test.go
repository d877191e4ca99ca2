package roles

import (
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// The files that we write say to this reading what the profile asked for: the
// limits are the profile's, none a default, and the break-glass
// user is never asked for.
func TestBudgetOfOurOwnFiles(t *testing.T) {
	p := usersProfile("")
	p.Resolver = &Resolver{Nameservers: []string{"10.0.0.2", "10.0.1.2"}, Timeout: time.Second, Attempts: 1}
	resolv, err := renderResolv(p)
	if err != nil {
		t.Fatal(err)
	}
	os := platformOf(facts.OS{ID: "debian"})
	settings := newLDAPSettings(os, p)
	for name, tt := range map[string]struct {
		running logins.Running
		files   []resource.File
		client  string
		account string
		// One lookup, of a directory user, with every server dead: two seconds for
		// each of two rounds at two nameservers, or to connect.
		takes time.Duration
	}{
		"nslcd":    {logins.Running{Nslcd: true}, nslcdFiles(settings), "nslcd", "account sufficient pam_localuser.so\naccount required pam_ldap.so\n", 4 * time.Second},
		"sssd":     {logins.Running{SSSD: true}, sssdFiles(settings), "sssd", "account sufficient pam_localuser.so\naccount required pam_sss.so\n", 3 * time.Second},
		"nss_ldap": {logins.Running{PADL: true}, padlFiles(settings), "nss_ldap", "account sufficient pam_localuser.so\naccount required pam_ldap.so\n", 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			edit := nssEdit(tt.client)
			nss, err := edit.Apply([]byte("passwd: files systemd\ngroup: files systemd\nshadow: files\nhosts: files dns\n"))
			if err != nil {
				t.Fatal(err)
			}
			l := logins.Login{BreakGlass: "admin", Running: tt.running, Files: map[string]string{
				resolvPath: string(resolv), nsswitchPath: string(nss), "/etc/hostname": "dev-mysql01.acme.private\n",
				"/etc/passwd": "admin:x:1000:1000::/home/admin:/bin/bash\n", "/etc/group": "sudo:x:27:admin\n", sshdStack: tt.account,
			}}
			for _, f := range tt.files {
				l.Files[f.Path] = string(f.Content)
			}
			b := logins.BudgetOf(l)
			for _, e := range b.Over(time.Second, time.Second) {
				// sssd and PADL's client ignore by name: another local user, in no
				// group line, waits.
				if e.Case.User == logins.BreakGlassUser || tt.client == "nslcd" && e.Case.User == logins.LocalUser {
					t.Error(e)
				}
			}
			if len(b.Notes) != 0 {
				t.Errorf("notes %q", b.Notes)
			}
			c := b.Case(logins.DirectoryUser, logins.AllDown)
			if c.Total != (logins.Bound{Most: 2*tt.takes + logins.LoginWork}) { // held back by sshd for as long again
				t.Errorf("a directory user: %s %+v", c.Total, c.Terms)
			}
			if last := c.Terms[len(c.Terms)-1]; strings.Contains(last.Limit, "(default)") {
				t.Errorf("a limit that we leave to the client: %s", last.Limit)
			}
		})
	}
}
