package logins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Stacks of the account phase as Debian and RHEL write them, and which of them
// let a local user with uid 1000 through without the directory.
func TestPAMAccount(t *testing.T) {
	ldap := []string{"pam_ldap's account phase asks for the user 2s"}
	for name, tt := range map[string]struct {
		stack string
		want  []string
	}{
		"Debian, as installed": {"account [success=1 default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n" +
			"account [success=ok default=bad] pam_ldap.so minimum_uid=1000\n", ldap},
		"above the uid":       {"account required pam_ldap.so minimum_uid=1001\n", nil},
		"no minimum":          {"account required pam_ldap.so\n", ldap},
		"pam_localuser":       {"account required pam_unix.so\naccount sufficient pam_localuser.so\naccount required pam_ldap.so\n", nil},
		"a jump over it":      {"account [success=1 default=ignore] pam_localuser.so\naccount required pam_ldap.so\naccount required pam_permit.so\n", nil},
		"a jump too short":    {"account [success=1 default=ignore] pam_localuser.so\naccount required pam_permit.so\naccount required pam_ldap.so\n", ldap},
		"succeed_if, RHEL":    {"account required pam_unix.so\naccount sufficient pam_succeed_if.so uid < 1000 quiet\naccount required pam_ldap.so\n", ldap},
		"succeed_if, higher":  {"account required pam_unix.so\naccount sufficient pam_succeed_if.so quiet uid < 10000\naccount required pam_ldap.so\n", nil},
		"usertype, RHEL":      {"account sufficient pam_usertype.so issystem\naccount required pam_ldap.so\n", ldap},
		"denied before":       {"account requisite pam_deny.so\naccount required pam_ldap.so\n", nil},
		"denied at the end":   {"account required pam_deny.so\naccount required pam_ldap.so\n", ldap},
		"sufficient too late": {"account required pam_deny.so\naccount sufficient pam_localuser.so\naccount required pam_ldap.so\n", ldap},
		"a substack's end":    {"account substack below\naccount required pam_ldap.so\n", ldap},
		"an include's end":    {"account include below\naccount required pam_ldap.so\n", nil},
		"twice":               {"account optional pam_ldap.so\naccount optional pam_ldap.so\n", []string{ldap[0], "pam_ldap's account phase asks for the user 2s"}},
		"reset":               {"account required pam_deny.so\naccount [default=reset] pam_permit.so\naccount sufficient pam_localuser.so\naccount required pam_ldap.so\n", nil},
		"who knows":           {"account sufficient pam_custom.so\naccount required pam_ldap.so\n", ldap},
		"pam_access, no rule": {"account required pam_access.so\n", nil},
		"ingroup":             {"account required pam_succeed_if.so user ingroup ops\n", nil},
		"sssd is not there":   {"account required pam_sss.so\n", nil},
		"a program":           {"account required pam_exec.so /usr/local/bin/tell\n", []string{"pam_exec runs a program no limit"}},
		"nothing":             {"", nil},
	} {
		l := quick(map[string]string{
			"/etc/pam.d/sshd":  tt.stack,
			"/etc/pam.d/below": "account sufficient pam_localuser.so\n",
		})
		if diff := cmp.Diff(tt.want, waitsOf(l, AllDown, BeforeLogin)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	l := quick(map[string]string{"/etc/pam.d/sshd": "account required pam_custom.so\naccount required pam_custom.so\n"})
	if notes := BudgetOf(l).Notes; len(notes) != 2 || !strings.Contains(notes[0], "/etc/pam.d/sshd:1: the module pam_custom is not known") {
		t.Errorf("notes %q", notes)
	}
}

// Who is in no group line is walked for by whoever asks for groups.
func TestPAMGroups(t *testing.T) {
	for name, tt := range map[string]struct{ stack, access, want string }{
		"ingroup":              {"account required pam_succeed_if.so user ingroup ops\n", "", "pam_succeed_if looks at the user's groups 2s"},
		"access, groups":       {"account required pam_access.so\n", "# (no)\n+:(ops):ALL\n", "pam_access looks at the user's groups 2s"},
		"access, users":        {"account required pam_access.so\n", "# (no)\n+:ann:ALL\n", ""},
		"the user's own phase": {"account required pam_permit.so\n", "", ""},
	} {
		l := quick(map[string]string{"/etc/group": "", "/etc/pam.d/sshd": tt.stack, "/etc/security/access.conf": tt.access})
		got := waitsOf(l, AllDown, BeforeLogin)
		if tt.want == "" && len(got) != 1 || tt.want != "" && (len(got) != 2 || got[1] != tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// AfterLogin authentication: pam_ldap's session phase asks no directory,
// pam_systemd has the user's manager started, which goes through an account
// phase of its own, and update-motd's scripts may do anything.
func TestPAMSession(t *testing.T) {
	l := quick(map[string]string{"/etc/pam.d/sshd": "session required pam_ldap.so\nsession optional pam_systemd.so\nsession optional pam_motd.so\nsession optional pam_motd.so noupdate\n"})
	if got := waitsOf(l, AllDown, AfterLogin); got != nil {
		t.Errorf("%q", got)
	}
	l.Files["/etc/pam.d/systemd-user"] = "account include sshd\naccount required pam_ldap.so\nsession include sshd\n"
	l.Files["/etc/update-motd.d/10-uname"] = "#!/bin/sh\n# no curl here\nuname -snrvm\n"
	l.Files["/etc/update-motd.d/50-motd-news"] = "#!/bin/sh\ncurl x\n"
	l.Files["/etc/update-motd.d/90-ours"] = "#!/bin/sh\n/usr/bin/curl -s http://inventory/motd\n"
	want := []string{
		"pam_ldap's account phase asks for the user 2s",
		"pam_motd runs a script that asks the network no limit", // for the manager
		"pam_motd runs a script that asks the network no limit",
	}
	if diff := cmp.Diff(want, waitsOf(l, AllDown, AfterLogin)); diff != "" {
		t.Error(diff)
	}
}

// A stack that the machine's folder has not is the distribution's own, where
// Debian 12 has systemd-user.
func TestPAMOfTheDistribution(t *testing.T) {
	l := quick(map[string]string{
		"/etc/pam.d/sshd":               "session optional pam_systemd.so\n",
		"/usr/lib/pam.d/systemd-user":   "@include common-account\nsession required pam_permit.so\n",
		"/etc/pam.d/common-account":     "account required pam_ldap.so\n",
		"/usr/lib/pam.d/common-account": "account required pam_deny.so\n",
	})
	want := []string{"pam_ldap's account phase asks for the user 2s"}
	if diff := cmp.Diff(want, waitsOf(l, AllDown, AfterLogin)); diff != "" {
		t.Error(diff)
	}
	l.Files["/etc/pam.d/systemd-user"] = "session required pam_permit.so\n"
	if got := waitsOf(l, AllDown, AfterLogin); got != nil {
		t.Errorf("the machine's own stack does not count first: %q", got)
	}
}

// sssd: its guard is filter_users, and pam_localuser before pam_sss.
func TestPAMSSSD(t *testing.T) {
	sssd := "[sssd]\ndomains=d\n[domain/d]\nid_provider=ldap\nldap_uri=ldap://10.9.9.9\n"
	for name, tt := range map[string]struct {
		account, nss string
		want         []string
	}{
		"asked":       {"account required pam_sss.so\n", "", []string{"pam_sss's account phase asks for the user 6s"}},
		"localuser":   {"account sufficient pam_localuser.so\naccount required pam_sss.so\n", "", nil},
		"filtered":    {"account required pam_sss.so\n", "[nss]\nfilter_users=root,admin\n", nil},
		"by its name": {"account required pam_sss.so\n", "[nss]\nfilter_users=root,ann\n", []string{"pam_sss's account phase asks for the user 6s"}},
	} {
		l := quick(map[string]string{"/etc/nsswitch.conf": "passwd: files sss\ngroup: files sss\n", sssdPath: sssd + tt.nss, "/etc/pam.d/sshd": tt.account})
		l.Running = Running{SSSD: true}
		got := waitsOf(l, AllDown, BeforeLogin)
		if name != "filtered" { // the groups find out that the server is dead; PAM then waits for nothing
			got = waitsOf(withInitgroups(l), AllDown, BeforeLogin)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A session waits for a sssd that is stuck in TLS, also of one whom it never asks
// a directory for, and of nobody whom pam_localuser keeps off.
func TestPAMSSSDSessions(t *testing.T) {
	sssd := "[sssd]\ndomains=d\n[nss]\nfilter_users=root,admin\n[domain/d]\nid_provider=ldap\nldap_uri=ldaps://10.9.9.9\n"
	const session = "session optional pam_sss.so\n"
	for name, tt := range map[string]struct {
		who     Who
		s       Servers
		session string
		want    []string
	}{
		"stuck":                   {BreakGlassUser, AllHung, session, []string{"pam_sss's session phase waits for sssd 32s"}},
		"slow":                    {BreakGlassUser, AllSlow, session, []string{"pam_sss's session phase waits for sssd 32s"}},
		"dead, which is not that": {BreakGlassUser, AllDown, session, nil},
		"guarded":                 {BreakGlassUser, AllHung, "session [success=1 default=ignore] pam_localuser.so\n" + session, nil},
		"by one of two ways":      {BreakGlassUser, AllHung, "session [success=1 default=ignore] pam_custom.so\n" + session + "session optional pam_env.so\n", []string{"pam_sss's session phase waits for sssd 32s"}},
		"another":                 {LocalUser, AllHung, session, []string{"pam_sss's session phase asks for the user 38s", "sshd sets the session's groups 38s"}},
		"another, guarded":        {LocalUser, AllHung, "session [success=1 default=ignore] pam_localuser.so\n" + session, []string{"sshd sets the session's groups 38s"}},
		"a directory user":        {DirectoryUser, AllSlow, session, []string{"pam_sss's session phase asks for the user 64s", "sshd sets the session's groups 12s"}},
	} {
		l := quick(map[string]string{
			"/etc/nsswitch.conf": "passwd: files sss\ngroup: files sss\ninitgroups: files sss\n", sssdPath: sssd, "/etc/pam.d/sshd": tt.session,
		})
		l.Running, l.Local = Running{SSSD: true}, "ann"
		c := BudgetOf(l).Case(tt.who, tt.s)
		var got []string
		for _, term := range c.Terms {
			if term.When == AfterLogin && term.Takes != (Bound{}) {
				what, _, _ := strings.Cut(term.What, ":")
				got = append(got, what+" "+term.Takes.String())
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, term := range c.Terms {
			if strings.Contains(term.What, "pam_sss") && (!strings.HasPrefix(term.At(), "/etc/pam.d/sshd:") || !strings.Contains(term.Limit, "watchdog") ||
				tt.who != DirectoryUser && !strings.Contains(term.Remedy, "a jump over it, `[success=1 default=ignore] pam_localuser.so`")) {
				t.Errorf("%s: nobody is told what to change: %+v", name, term)
			}
		}
	}
}

func withInitgroups(l Login) Login {
	l.Files["/etc/nsswitch.conf"] += "initgroups: files sss\n"
	return l
}

// Many modules that may go either way are followed once each, not down every
// combination of their results.
func TestPAMManyWays(t *testing.T) {
	l := quick(map[string]string{"/etc/pam.d/sshd": strings.Repeat("account [success=1 default=ignore] pam_custom.so\n", 300) + "account required pam_ldap.so\n"})
	if got := waitsOf(l, AllDown, BeforeLogin); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
