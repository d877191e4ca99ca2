package logins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// waitsOf is what a part of the break-glass user's login waits for, without
// the lines' texts.
// What sshd holds back for as long again is told once; TestSshdHoldsBack is of it.
func waitsOf(l Login, s Servers, when When) []string {
	var out []string
	for _, t := range BudgetOf(l).Case(BreakGlassUser, s).Terms {
		if t.When == when && t.Of != OfLogin {
			what, _, _ := strings.Cut(t.What, ": ")
			if strings.Contains(t.Limit, "; twice: sshd holds") {
				t.Takes.Most /= 2
			}
			out = append(out, what+" "+t.Takes.String())
		}
	}
	return out
}

// quick is a machine with nslcd at two seconds and no PAM that asks, so that a
// test sees its own term alone.
func quick(changes map[string]string) Login {
	l := measuredLogin(map[string]string{
		"/etc/nsswitch.conf":        nssWithInitgroups,
		"/etc/group":                groupsWithAdmin,
		"/etc/pam.d/common-account": accountGuarded,
		"/etc/nslcd.conf":           nslcdMeasured + "bind_timelimit 2\ntimelimit 5\nreconnect_retrytime 1\n",
		"/etc/hosts":                "127.0.1.1 dev-mysql01\n",
	})
	for path, text := range changes {
		l.Files[path] = text
	}
	return l
}

// Which lines of nsswitch.conf let the directory into a local user's login.
func TestNameServicePath(t *testing.T) {
	groups := "sshd reads the keys with the user's groups 4s"
	for name, tt := range map[string]struct {
		nss   string
		group string
		conf  string
		want  []string
	}{
		"no initgroups line":         {"group: files ldap\n", groupsWithAdmin, "", []string{groups}},
		"files ends it":              {"group: files ldap\ninitgroups: files ldap\n", groupsWithAdmin, "", nil},
		"in no group line":           {"initgroups: files ldap\n", "sudo:x:27:\n", "", []string{groups}},
		"files says no, and end":     {"initgroups: files [NOTFOUND=return] ldap\n", "sudo:x:27:\n", "", nil},
		"merged":                     {"initgroups: files [SUCCESS=merge] ldap\n", groupsWithAdmin, "", []string{groups}},
		"success ends no group line": {"group: files [SUCCESS=return] ldap\n", groupsWithAdmin, "", []string{groups}},
		"ldap first":                 {"initgroups: ldap files\n", groupsWithAdmin, "", []string{groups}},
		"ignored by name":            {"group: files ldap\n", "", "nss_initgroups_ignoreusers root,admin\n", nil},
		"ignored, all local":         {"group: files ldap\n", "", "nss_initgroups_ignoreusers ALLLOCAL\n", nil},
		"another is ignored":         {"group: files ldap\n", "", "nss_initgroups_ignoreusers ops\n", []string{groups}},
		"passwd, ldap first":         {"passwd: ldap files\nshadow: files\n", groupsWithAdmin, "", []string{"sshd looks the user up 2s"}},
		"passwd, merged":             {"passwd: files [SUCCESS=continue] ldap\nshadow: files\n", groupsWithAdmin, "", []string{"sshd looks the user up 2s"}},
		"shadow is passwd's": {"passwd: ldap files\n", groupsWithAdmin, "", []string{
			"sshd looks the user up 2s", "pam_unix looks at the user's shadow entry 2s"}},
		"no such client": {"group: files sss\n", groupsWithAdmin, "", nil},
		"nobody else":    {"", groupsWithAdmin, "", nil},
	} {
		l := quick(map[string]string{"/etc/nsswitch.conf": tt.nss, "/etc/group": tt.group})
		l.Files["/etc/nslcd.conf"] += tt.conf
		if diff := cmp.Diff(tt.want, waitsOf(l, AllDown, BeforeLogin)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	l := quick(map[string]string{"/etc/nsswitch.conf": "passwd: files winbind ldap\ngroup: files winbind\n"})
	if notes := BudgetOf(l).Notes; len(notes) != 2 || !strings.Contains(notes[0], "winbind") {
		t.Errorf("a source that is not known: %q", notes)
	}
}

// nscd walks the group line whatever the initgroups line says, and glibc waits
// five seconds for it; a client that answers sooner is waited for once.
func TestNscdPath(t *testing.T) {
	slow := nslcdMeasured + "bind_timelimit 3\nreconnect_retrytime 1\n"
	nscd := "enable-cache group yes\n"
	for name, tt := range map[string]struct {
		nscd, nslcd, nss string
		want             []string
	}{
		"the line is passed by": {nscd, "", nssWithInitgroups, []string{"sshd reads the keys with the user's groups 4s"}},
		"no more than 5 s":      {nscd, slow, nssWithInitgroups, []string{"sshd reads the keys with the user's groups 5s"}},
		"then glibc itself": {nscd, slow, "group: files ldap\n", []string{
			"sshd reads the keys with the user's groups 5s", "sshd reads the keys with the user's groups 6s"}},
		"once where it answers": {nscd, "", "group: files ldap\n", []string{"sshd reads the keys with the user's groups 4s"}},
		"a host name": {"enable-cache hosts yes\n", "uri ldap://ldap.acme.private/\nbind_timelimit 2\nreconnect_retrytime 1\n", "group: files ldap\n", []string{
			// Ten seconds of DNS and five of nscd, for the user and for his groups.
			"sshd reads the keys with the user's groups 30s"}},
		"not kept": {"enable-cache group no\n", slow, nssWithInitgroups, nil},
	} {
		l := quick(map[string]string{"/etc/nsswitch.conf": tt.nss, nscdPath: tt.nscd})
		l.Running.Nscd = true
		if tt.nslcd != "" {
			l.Files[nslcdPath] = tt.nslcd
		}
		if diff := cmp.Diff(tt.want, waitsOf(l, AllDown, BeforeLogin)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSshdPath(t *testing.T) {
	for name, tt := range map[string]struct {
		sshd    string
		changes map[string]string
		s       Servers
		want    []string
	}{
		"defaults":        {"", nil, AllDown, nil},
		"UseDNS":          {"usedns yes\n", nil, AllDown, []string{"sshd looks for the name of the client's address 10s"}},
		"UseDNS, one way": {"usedns yes\n", nil, AllSlow, []string{"sshd looks for the name of the client's address 20s"}},
		"UseDNS, up":      {"usedns yes\n", nil, AllUp, nil},
		"AllowGroups": {"allowgroups ops\n", map[string]string{"/etc/group": ""}, AllDown, []string{
			"sshd's allowgroups 4s", "sshd reads the keys with the user's groups 2s"}},
		"Match Group": {"", map[string]string{"/etc/group": "", sshdPath: "Match Group ops\n"}, AllDown, []string{
			`sshd looks whether "Match Group ops" holds, in /etc/ssh/sshd_config:1 4s`, "sshd reads the keys with the user's groups 2s"}},
		"EC2 Instance Connect": {"authorizedkeyscommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %u %f\nauthorizedkeyscommanduser ec2-instance-connect\n",
			nil, AllHung, []string{
				// Its user is in no group line, and nobody ignores him.
				"sshd runs authorizedkeyscommand, /usr/share/ec2-instance-connect/eic_run_authorized_keys, with the groups of ec2-instance-connect 14s",
				"sshd runs authorizedkeyscommand, /usr/share/ec2-instance-connect/eic_run_authorized_keys 5s",
				"sshd runs authorizedkeyscommand, /usr/share/ec2-instance-connect/eic_run_authorized_keys, with the groups of ec2-instance-connect 2s",
				"sshd runs authorizedkeyscommand, /usr/share/ec2-instance-connect/eic_run_authorized_keys 5s"}},
		"any other command": {"authorizedkeyscommand /usr/local/bin/keys\n", nil, OneDown, []string{
			"sshd runs authorizedkeyscommand, /usr/local/bin/keys no limit", "sshd runs authorizedkeyscommand, /usr/local/bin/keys no limit"}},
		"any other command, up": {"authorizedkeyscommand /usr/local/bin/keys\n", nil, AllUp, nil},
		"no PAM, locked?":       {"usepam no\n", map[string]string{"/etc/nsswitch.conf": "shadow: ldap files\n"}, AllDown, []string{"sshd looks whether the account is locked 2s"}},
		"two lookups": {"refuseconnection no\n", map[string]string{"/etc/nsswitch.conf": "passwd: ldap files\nshadow: files\n"}, AllDown, []string{
			"sshd looks the user up 2s", "sshd looks the user up 2s"}},
	} {
		l := quick(tt.changes)
		l.Sshd = tt.sshd
		if diff := cmp.Diff(tt.want, waitsOf(l, tt.s, BeforeLogin)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// sshd holds its answers back for as long again as they took, but not what comes
// after them: PAM's account phase.
func TestSshdHoldsBack(t *testing.T) {
	l := quick(map[string]string{"/etc/group": "", "/etc/pam.d/sshd": "account required pam_ldap.so\n"})
	c := BudgetOf(l).Case(BreakGlassUser, AllSlow)
	if n := len(c.Terms); n < 3 || c.Terms[1].Takes != c.Terms[2].Takes.Times(4) || strings.Contains(c.Terms[2].Limit, "twice") {
		t.Errorf("for the groups two searches, twice; for PAM one: %+v", c.Terms)
	}
}

// An option's line is found where there is one.
func TestSshdOptionPath(t *testing.T) {
	l := quick(map[string]string{sshdPath: "Include /etc/ssh/sshd_config.d/*.conf\nUseDNS no\n", sshdPath + ".d/10-fleet.conf": "# x\n\tusedns=yes\n"})
	l.Sshd = "usedns yes\n"
	for _, term := range BudgetOf(l).Case(BreakGlassUser, AllDown).Terms {
		if term.Of == OfResolver && term.When == BeforeLogin && (term.File != sshdPath+".d/10-fleet.conf" || term.Line != 2) {
			t.Errorf("%s:%d", term.File, term.Line)
		}
	}
}

// With one server of the directory's, one down is all down: nobody knows a
// directory user, and his login ends with the search for him.
func TestDirectoryUserPath(t *testing.T) {
	l := quick(nil)
	if c := BudgetOf(l).Case(DirectoryUser, OneDown); c.Refused == "" || c.After != (Bound{}) {
		t.Errorf("%+v", c)
	}
	l.Files[nslcdPath] = strings.Replace(l.Files[nslcdPath], "uri ", "uri ldap://10.9.9.8/ ", 1)
	if c := BudgetOf(l).Case(DirectoryUser, OneDown); c.Refused != "" || c.After == (Bound{}) {
		t.Errorf("%+v", c)
	}
	if c := BudgetOf(l).Case(DirectoryUser, AllUp); c.Refused != "" || c.Total != (Bound{Most: LoginWork}) {
		t.Errorf("%+v", c)
	}
}

func TestSudoPath(t *testing.T) {
	l := quick(map[string]string{
		"/etc/hosts": "", "/etc/nsswitch.conf": nssWithInitgroups + "sudoers: files ldap\n",
		"/etc/pam.d/sudo": "@include common-auth\n@include common-account\n",
	})
	want := []string{
		"sudo looks for the machine's own name, dev-mysql01 10s",
		"sudo asks for rules 2s",
	}
	if diff := cmp.Diff(want, waitsOf(l, AllDown, ForPassword)); diff != "" {
		t.Error(diff)
	}
	l.Files["/etc/pam.d/common-auth"] = "auth sufficient pam_ldap.so\nauth required pam_unix.so\n"
	if got := waitsOf(l, AllDown, ForPassword); len(got) != 3 || got[2] != "pam_ldap's auth phase asks for the user 2s" {
		t.Errorf("%q", got)
	}
	if c := BudgetOf(l).Case(BreakGlassUser, AllDown); c.Total != (Bound{Most: LoginWork}) {
		t.Errorf("PAM's auth phase is none of a key's login, which takes %s", c.Total)
	}
}

func TestShellPath(t *testing.T) {
	l := quick(map[string]string{"/etc/passwd": "admin:x:1000:1000::/home/admin:/opt/tools/bash\n"})
	l.Mounts = "nas:/tools /opt/tools nfs4 rw 0 0\n"
	if got := waitsOf(l, AllDown, BeforeLogin); len(got) != 1 || got[0] != "sshd looks whether the shell can be run, /opt/tools/bash no limit" {
		t.Errorf("%q", got)
	}
}
