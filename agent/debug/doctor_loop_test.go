package debug

import (
	"strings"
	"testing"

	"reveille/bootstrap/facts"
)

func TestDoctorOfADirectoryLoop(t *testing.T) {
	p := Patient{Login: &facts.Login{Running: facts.LoginRunning{PADL: true}, Files: map[string]string{
		"/etc/nsswitch.conf":    "hosts: files ldap dns\n",
		"/etc/libnss-ldap.conf": "base dc=a\nuri ldap://cn=x:hunter2@ldap.acme.private\n",
	}}}
	got := directoryLoop(p)
	if codes(got, "") != "directory-loop" || got[0].Severity != facts.Error || strings.Contains(got[0].Title, "hunter2") ||
		!strings.Contains(got[0].Title, "ldap://ldap.acme.private:389 (/etc/libnss-ldap.conf:2) is looked for, by the line hosts (/etc/nsswitch.conf:1), in the directory itself.") {
		t.Errorf("found %+v", got)
	}
	p.Login.Files["/etc/nsswitch.conf"] = "hosts: files dns ldap\n"
	if got = directoryLoop(p); codes(got, "") != "directory-loop" || got[0].Severity != facts.Warning || !strings.Contains(got[0].Title, "DNS") {
		t.Errorf("after DNS: %+v", got)
	}
	if got = directoryLoop(Patient{}); got != nil {
		t.Errorf("where nothing was read: %+v", got)
	}
}
