package logins

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/roles/cite"
)

// A Debian 12 with libnss-ldapd and libpam-ldapd as their packages leave them,
// and the user of the cloud images, uid 1000: what a table of real logins was
// measured on while the directory's server dropped all that it was sent.
func measuredLogin(changes map[string]string) Login {
	files := map[string]string{
		"/etc/passwd":        "root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\n",
		"/etc/group":         "root:x:0:\nsudo:x:27:\nadmin:x:1000:\n",
		"/etc/hostname":      "dev-mysql01\n",
		"/etc/resolv.conf":   "nameserver 10.0.0.2\n",
		"/etc/nsswitch.conf": "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\nhosts: files dns\n",
		"/etc/nslcd.conf":    "uid nslcd\ngid nslcd\nuri ldap://10.9.9.9/\nbase dc=acme,dc=private\n",
		"/etc/pam.d/sshd": "@include common-auth\naccount required pam_nologin.so\n@include common-account\n@include common-session\n" +
			"session optional pam_motd.so motd=/run/motd.dynamic\nsession optional pam_motd.so noupdate\n",
		"/etc/pam.d/common-auth": "auth [success=2 default=ignore] pam_unix.so nullok\n" +
			"auth [success=1 default=ignore] pam_ldap.so minimum_uid=1000 use_first_pass\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
		"/etc/pam.d/common-account": "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n" +
			"account requisite pam_deny.so\naccount required pam_permit.so\n" +
			"account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad] pam_ldap.so minimum_uid=1000\n",
		"/etc/pam.d/common-session": "session [default=1] pam_permit.so\nsession requisite pam_deny.so\n" +
			"session required pam_permit.so\nsession required pam_unix.so\nsession optional pam_ldap.so minimum_uid=1000\n",
	}
	maps.Copy(files, changes)
	return Login{Files: files, Running: Running{Nslcd: true}, BreakGlass: "admin"}
}

const (
	nssWithInitgroups = "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\ninitgroups: files ldap\nhosts: files dns\n"
	groupsWithAdmin   = "root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\n"
	nslcdMeasured     = "uid nslcd\ngid nslcd\nuri ldap://10.9.9.9/\nbase dc=acme,dc=private\n"
	accountGuarded    = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n" +
		"account requisite pam_deny.so\naccount required pam_permit.so\n" +
		"account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad] pam_ldap.so minimum_uid=10000\n"
)

// The table: what is worked out is no less than what was measured, and no more
// than twice that and a login's own work.
func TestBudgetMeasured(t *testing.T) {
	for _, tt := range []struct {
		name     string
		changes  map[string]string
		measured float64 // seconds, the longest of the logins
	}{
		{"files before ldap", nil, 31.2},
		{"and an initgroups line", map[string]string{"/etc/nsswitch.conf": nssWithInitgroups}, 31.2},
		{"and the user in a group line", map[string]string{"/etc/nsswitch.conf": nssWithInitgroups, "/etc/group": groupsWithAdmin}, 10.3},
		{"or ignored by the client", map[string]string{"/etc/nslcd.conf": nslcdMeasured + "nss_initgroups_ignoreusers ALLLOCAL\n"}, 10.3},
		{"ignored, with the line", map[string]string{"/etc/nsswitch.conf": nssWithInitgroups, "/etc/nslcd.conf": nslcdMeasured + "nss_initgroups_ignoreusers ALLLOCAL\n"}, 10.3},
		{"and pam_ldap kept off", map[string]string{
			"/etc/nsswitch.conf": nssWithInitgroups, "/etc/group": groupsWithAdmin, "/etc/pam.d/common-account": accountGuarded}, 0.36},
		{"short limits alone", map[string]string{
			"/etc/nslcd.conf": nslcdMeasured + "bind_timelimit 1\ntimelimit 2\nreconnect_sleeptime 1\nreconnect_retrytime 1\n"}, 3.9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := BudgetOf(measuredLogin(tt.changes))
			c := b.Case(BreakGlassUser, AllDown)
			if got := c.Total.Most.Seconds(); c.Total.Unbounded || got < tt.measured || got > 2*tt.measured+LoginWork.Seconds() {
				t.Errorf("%s, measured %gs", c.Total, tt.measured)
			}
		})
	}
}

// termsOf are the waits of a part, each as "what: file:line".
func termsOf(c Case, when When) []string {
	var out []string
	for _, t := range c.Terms {
		if t.When == when && t.Of != OfLogin {
			out = append(out, t.What+" | "+cite.Place{File: t.File, Line: t.Line}.String())
		}
	}
	return out
}

func TestBudgetTermsNameTheirLines(t *testing.T) {
	c := BudgetOf(measuredLogin(map[string]string{"/etc/nsswitch.conf": nssWithInitgroups})).Case(BreakGlassUser, AllDown)
	want := []string{
		"sshd reads the keys with the user's groups: initgroups: files ldap | /etc/nsswitch.conf:4",
		"pam_ldap's account phase asks for the user: account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad] pam_ldap.so minimum_uid=1000 | /etc/pam.d/common-account:4",
	}
	if diff := cmp.Diff(want, termsOf(c, BeforeLogin)); diff != "" {
		t.Error(diff)
	}
	for _, term := range c.Terms[1:] {
		if term.Remedy == "" || term.Limit == "" {
			t.Errorf("no remedy or no limit: %+v", term)
		}
		if term.Of == OfDirectory && !strings.Contains(term.Limit, "bind_timelimit 10 (default)") {
			t.Errorf("it does not say whose default the limit is: %+v", term)
		}
	}
}

// The configuration of 2011: short time-outs and files before ldap, and no
// initgroups line. PADL's client sleeps between its seven rounds, and a
// login takes longer than sshd waits; nslcd with the nearest settings still
// holds a local user up for longer than half a minute. With a soft bind policy
// it would not have.
func TestBudgetOf2011(t *testing.T) {
	changes := map[string]string{
		"/etc/resolv.conf": "nameserver 10.0.0.2\noptions timeout:1 attempts:1\n",
		"/etc/ldap.conf":   "uri ldap://10.9.9.9/\nbase dc=acme,dc=private\nbind_timelimit 5\ntimelimit 15\n",
		"/etc/nslcd.conf":  nslcdMeasured + "bind_timelimit 5\ntimelimit 15\n",
	}
	for name, tt := range map[string]struct {
		running Running
		policy  string
		before  time.Duration
		over    bool
	}{
		// For the groups seven rounds of 5 s and 124 s of sleep, and sshd holds that
		// back for as long again; for PAM one round.
		"PADL, hard": {Running{PADL: true}, "", (2*(7*5+124) + 5) * time.Second, true},
		"PADL, soft": {Running{PADL: true}, "bind_policy soft\n", (2*5 + 5) * time.Second, false},
		// Its server has failed for good after twice 5 s and ten between.
		"nslcd": {Running{Nslcd: true}, "", 2 * (2*5 + 10 + 1) * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := measuredLogin(changes)
			l.Running = tt.running
			l.Files["/etc/ldap.conf"] += tt.policy
			b := BudgetOf(l)
			if got := b.Case(BreakGlassUser, AllDown).Before; got != (Bound{Most: tt.before + LoginWork}) {
				t.Errorf("%s before authentication, want %s and a login's own work", got, tt.before)
			}
			over := false
			for _, e := range b.Over(20*time.Second, 0) {
				over = over || e.Case.User == BreakGlassUser && e.Case.Servers == AllDown && e.When == BeforeLogin
			}
			if over != tt.over {
				t.Errorf("over 20 s: %v, want %v", over, tt.over)
			}
		})
	}
}

// A machine as it should be: nobody local waits for anybody, however the
// servers fail, and a directory user's login ends in time.
func TestBudgetOfAGoodMachine(t *testing.T) {
	l := measuredLogin(map[string]string{
		"/etc/nsswitch.conf":        nssWithInitgroups,
		"/etc/group":                groupsWithAdmin,
		"/etc/passwd":               "admin:x:1000:1000::/home/admin:/bin/bash\nops:x:1001:1001::/home/ops:/bin/bash\n",
		"/etc/pam.d/common-account": accountGuarded,
		"/etc/nslcd.conf": nslcdMeasured + "bind_timelimit 2\ntimelimit 5\nreconnect_sleeptime 1\nreconnect_retrytime 1\n" +
			"nss_initgroups_ignoreusers ALLLOCAL\n",
	})
	b := BudgetOf(l)
	if over := b.Over(5*time.Second, 0); len(over) != 0 {
		t.Errorf("%v", over)
	}
	for _, c := range b.Cases {
		if c.User != DirectoryUser && c.Total != (Bound{Most: LoginWork}) {
			t.Errorf("%s, servers %s: %s, %v", c.Name, c.Servers, c.Total, termsOf(c, BeforeLogin))
		}
	}
	gone := b.Case(DirectoryUser, AllDown)
	if gone.Total != (Bound{Most: 4500 * time.Millisecond}) || gone.Refused == "" {
		t.Errorf("a directory user with all servers dead: %+v", gone)
	}
	if slow := b.Case(DirectoryUser, AllSlow); slow.Refused != "" || !gone.Total.Less(slow.Total) {
		t.Errorf("a directory user with slow servers: %s", slow.Total)
	}
	if up := b.Case(DirectoryUser, AllUp); up.Total != (Bound{Most: LoginWork}) {
		t.Errorf("a directory user with all servers up: %s", up.Total)
	}
}

// Of several local users it is the one who waits longest that counts.
func TestBudgetOfTheWorstLocalUser(t *testing.T) {
	l := measuredLogin(map[string]string{
		"/etc/nsswitch.conf": nssWithInitgroups,
		"/etc/passwd": "admin:x:1000:1000::/home/admin:/bin/bash\nann:x:1001:1001::/home/ann:/bin/bash\n" +
			"bob:x:1002:1002::/home/bob:/bin/bash\nd:x:1003:1003::/:/usr/sbin/nologin\n",
		"/etc/group":                "sudo:x:27:admin,ann\n",
		"/etc/pam.d/common-account": accountGuarded,
	})
	b := BudgetOf(l)
	if c := b.Case(LocalUser, AllDown); c.Name != "bob" || c.Before.Most < 20*time.Second {
		t.Errorf("%s %s", c.Name, c.Before)
	}
	l.Local = "ann"
	if c := BudgetOf(l).Case(LocalUser, AllDown); c.Name != "ann" || c.Before.Over(LoginWork) {
		t.Errorf("%s %s", c.Name, c.Before)
	}
	l.Local, l.BreakGlass = "", ""
	if c := BudgetOf(l).Case(BreakGlassUser, AllUp); c.Terms != nil {
		t.Errorf("without a name there is no break-glass user: %+v", c)
	}
	l.BreakGlass = "nobody-knows"
	if b := BudgetOf(l); len(b.Notes) != 1 || !strings.Contains(b.Notes[0], `"nobody-knows"`) {
		t.Errorf("notes %q", b.Notes)
	}
}

// A budget is the same whenever it is worked out, and no part of a login is
// longer for a server, a second or an attempt less.
func TestBudgetGrowsWithTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		v := []int{1 + draw("nameservers", 2), draw("timeout", 6), draw("attempts", 5), 1 + draw("uris", 3), 1 + draw("bind", 15), 1 + draw("limit", 15), draw("retry", 15)}
		more := append([]int{}, v...)
		which := draw("which", len(v)-1)
		more[which]++
		running := rapid.SampledFrom([]Running{{Nslcd: true}, {SSSD: true}, {PADL: true}, {Nslcd: true, Nscd: true}}).Draw(t, "running")
		source := "ldap"
		if running.SSSD {
			source = "sss"
		}
		budget := func(v []int) Budget {
			l := measuredLogin(sizedFiles(v, true))
			l.Running, l.Sshd = running, "usedns yes\nallowgroups ops\n"
			l.Files["/etc/nsswitch.conf"] = strings.ReplaceAll(nssWithInitgroups, "ldap", source)
			l.Files["/etc/nscd.conf"] = "enable-cache passwd yes\nenable-cache group yes\n"
			return BudgetOf(l)
		}
		a, b, again := budget(v), budget(more), budget(v)
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatalf("worked out twice:\n%s", diff)
		}
		for i, c := range a.Cases {
			if which == len(v)-1 && running.Nslcd {
				continue // the longer its reconnect_retrytime, the longer nslcd asks no dead server again
			}
			if c.Servers == OneDown {
				continue // of two servers one may be down, of one there is then none
			}
			d := b.Cases[i]
			if d.Before.Less(c.Before) || d.After.Less(c.After) || d.Total.Less(c.Total) || d.Password.Less(c.Password) {
				t.Fatalf("%s, %s: %s, %s, %s became %s, %s, %s", c.User, c.Servers, c.Before, c.After, c.Total, d.Before, d.After, d.Total)
			}
		}
	})
}
