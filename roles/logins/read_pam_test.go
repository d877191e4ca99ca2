package logins

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseSshd(t *testing.T) {
	c, notes := parseSshd("port 22\nlogingracetime 30\nusedns yes\nusepam no\nallowgroups ops\nallowgroups dev\nauthorizedkeysfile /etc/ssh/keys/%u\n" +
		"authorizedkeyscommand /usr/bin/sss_ssh_authorizedkeys %u\nauthorizedkeyscommanduser nobody\nauthorizedprincipalscommand none\nrefuseconnection no\n")
	if c.grace != 30 || !c.useDNS || c.usePAM || c.groups != "allowgroups" || c.keysInHome() || !c.twoLookups || len(notes) != 0 {
		t.Errorf("%+v, %q", c, notes)
	}
	if len(c.commands) != 1 || c.commands[0].user != "nobody" {
		t.Errorf("%+v", c.commands)
	}
	c, notes = parseSshd("logingracetime 2m\nauthorizedkeysfile none %h/keys\n")
	if c.grace != 120 || !c.keysInHome() || len(notes) != 1 || !c.usePAM {
		t.Errorf("%+v, %q", c, notes)
	}
	if c, _ := parseSshd("logingracetime 0\n"); c.graceSeconds() != 120 {
		t.Errorf("no limit counts as %d s", c.graceSeconds())
	}
	if l, ok := matchesGroup(sshdLines(map[string]string{
		sshdPath: "Match User ann\n", sshdPath + ".d/50.conf": "\n  match address 10.0.0.0/8 Group=ops\n",
	})); !ok || l.at.String() != "/etc/ssh/sshd_config.d/50.conf:2" {
		t.Errorf("%+v, %v", l, ok)
	}
}

// What stands in a stack, in its order, with what follows each result.
func TestParsePAM(t *testing.T) {
	files := map[string]string{
		pamFolder + "sshd": "#%PAM-1.0\nauth required pam_sepermit.so\nauth substack password-auth\n-account  [success=1 \\\n default=ignore] \t pam_x.so a=b [c d]\n" +
			"@include common\naccount include password-auth\naccount odd pam_y.so\naccount required\nsession optional /lib/security/pam_z.so # end\n",
		pamFolder + "common":        "account requisite pam_deny.so\n@include common\n@include sshd\n",
		pamFolder + "password-auth": "auth sufficient pam_unix.so\naccount sufficient pam_localuser.so\n",
		pamFolder + "other":         "auth required pam_deny.so\n",
	}
	account, notes := parsePAM(files, "sshd", "account")
	var got []string
	for _, l := range account {
		got = append(got, l.at.String()+" "+l.module+" "+l.control.after("success")+"/"+l.control.after("auth_err"))
	}
	if got[0] != "/etc/pam.d/sshd:4 pam_x 1/ignore" || !account[0].has("[c d]") {
		t.Errorf("%v", got)
	}
	if v, ok := account[0].value("a"); !ok || v != "b" {
		t.Errorf("%v", account[0].args)
	}
	tail := strings.Join(got[1:], ", ")
	if tail != "/etc/pam.d/common:1 pam_deny ok/die, /etc/pam.d/password-auth:2 pam_localuser done/ignore, /etc/pam.d/sshd:8 pam_y ok/bad" {
		t.Errorf("%s", tail)
	}
	if len(notes) != 4 {
		t.Errorf("%d notes %q", len(notes), notes)
	}
	auth, _ := parsePAM(files, "sshd", "auth")
	if len(auth) != 2 || !auth[1].sub || len(auth[1].below) != 1 {
		t.Errorf("%+v", auth)
	}
	session, _ := parsePAM(files, "sshd", "session")
	if len(session) != 1 || session[0].module != "pam_z" {
		t.Errorf("%+v", session)
	}
	if other, _ := parsePAM(files, "su", "auth"); len(other) != 1 || other[0].module != "pam_deny" {
		t.Errorf("%+v", other)
	}
}

// Files that include each other many times over are read to an end.
func TestParsePAMEndsEarly(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		below := fmt.Sprintf("@include s%d\n", i+1)
		files[fmt.Sprintf("%ss%d", pamFolder, i)] = "account required pam_unix.so\n" + below + below
	}
	stack, notes := parsePAM(files, "s0", "account")
	if len(stack) > maxPAMLines || len(notes) != 1 {
		t.Errorf("%d modules, notes %q", len(stack), notes)
	}
}
