package agent

import (
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/roles"
)

// BenchmarkGate is what a first pass pays: all that a login passes through is
// read, and the budget of the machine as it would be worked out.
func BenchmarkGate(b *testing.B) {
	m := hosttest.New(b, map[string]string{
		"/etc/os-release": "ID=debian\n", "/usr/sbin/nslcd": "", "/etc/hostname": "a\n", "/etc/hosts": "127.0.0.1 localhost\n",
		"/etc/resolv.conf": "nameserver 10.0.0.2\n", "/etc/nsswitch.conf": "passwd: files systemd\ngroup: files systemd\nshadow: files\nhosts: files dns\n",
		"/etc/group":             "nslcd:x:112:\nadm:x:4:admin\n",
		"/etc/passwd":            "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
		"/etc/nslcd.conf":        "uri ldap://10.9.9.9\n",
		"/etc/ssh/sshd_config":   "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
		"/etc/pam.d/sshd":        "@include common-auth\n@include common-account\n@include common-session\nsession optional pam_systemd.so\n",
		"/etc/pam.d/common-auth": "auth sufficient pam_unix.so\n", "/etc/pam.d/common-session": "session required pam_unix.so\n",
		"/etc/pam.d/common-account": "account required pam_unix.so\naccount required pam_ldap.so minimum_uid=1000\n",
		"/etc/pam.d/systemd-user":   "@include common-account\n@include common-session\n",
	})
	var w Wanted
	w.Facts.Machine = facts.ReadMachine(m.Offline())
	w.Profile.Resolver = &roles.Resolver{Nameservers: []string{"10.0.0.2", "10.0.1.2"}, Timeout: time.Second, Attempts: 1}
	w.Profile.Directory = &roles.Directory{Client: "auto", URIs: []string{"ldaps://ldap.acme"}, Base: "dc=acme", BreakGlass: "admin", BindTimeLimit: 2 * time.Second, TimeLimit: 5 * time.Second}
	p, err := roles.Plan(w.Facts, w.Profile)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		gate, _ := Guard(m.Offline(), w, p, plan.Nothing)
		if v := gate.judge(facts.ReadLoginNames(gate.host, w.Facts.Machine.Has), p); v.err != nil {
			b.Fatal(v.err)
		}
	}
}
