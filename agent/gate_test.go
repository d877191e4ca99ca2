package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/roles"
	"reveille/roles/logins"
)

// Whatever the profile and the disk: after a pass a login is within its limits
// or no longer than it was, by another reading of the same files; and where
// the gate refuses, not one of its files has changed.
func TestWhateverPassesTheGateKeepsLoginsShort(t *testing.T) {
	passed, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := hosttest.New(t, randomDisk(rt))
		h := m.Offline()
		before, tree := facts.ReadLogin(t.Context(), h), m.Tree("/run", "/var", "/etc/hosts")
		w := randomWanted(rt)
		w.Facts.Machine = facts.ReadMachine(h)
		p, err := roles.Plan(w.Facts, w.Profile)
		if err != nil {
			rt.Fatal(err)
		}
		w.Plan = p.Offline()
		gate, steps := Guard(h, w, w.Plan, plan.Disrupts)
		walked, err := converge.Run(t.Context(), h, steps, converge.Options{Max: plan.Disrupts})
		if err != nil {
			rt.Fatal(err)
		}
		if gate.verdict.err != nil {
			refused++
			if diff := cmp.Diff(tree, m.Tree("/run", "/var", "/etc/hosts")); diff != "" {
				rt.Fatalf("refused (%v), and yet:\n%s", gate.verdict.err, diff)
			}
			return
		}
		passed++
		for _, r := range walked.Results {
			if !r.State.So() || errors.Is(r.Err, ErrLockout) {
				rt.Fatalf("%s is %s: %v", r.Step.ID(), r.State, r.Err)
			}
		}
		// What was installed counts as running on both sides.
		now := Budget(before, w.Profile.Directory.BreakGlass, "")
		after := Budget(facts.ReadLogin(t.Context(), h), w.Profile.Directory.BreakGlass, "")
		over := slices.DeleteFunc(after.Exceeds(now, w.Profile.LoginBudget), func(e logins.Excess) bool {
			return (e.Case.User != logins.BreakGlassUser || e.When != logins.BeforeLogin) && // never off for him
				slices.ContainsFunc(gate.verdict.beyond, func(b logins.Excess) bool { return b.String() == e.String() })
		})
		if len(over) > 0 {
			rt.Fatalf("written, and %v", over)
		}
	})
	if passed == 0 || refused == 0 {
		t.Errorf("%d passed and %d refused: the cases are too much alike", passed, refused)
	}
}

func randomDisk(t *rapid.T) map[string]string {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	m := map[string]string{
		"/etc/os-release":      "ID=debian\n",
		"/etc/hostname":        "a\n",
		"/etc/hosts":           "127.0.0.1 localhost a\n",
		"/etc/resolv.conf":     pick("resolv.conf", "nameserver 10.0.0.2\n", "nameserver 10.0.0.2\nnameserver 10.0.0.3\noptions timeout:10 attempts:5\n", "nameserver 10.0.0.2\noptions timeout:1 attempts:1\n"),
		"/etc/nsswitch.conf":   pick("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", "passwd: files ldap sss\ngroup: files ldap sss\nhosts: files dns\n", "passwd: ldap files\ngroup: ldap files\ninitgroups: ldap files\nhosts: dns files\n"),
		"/etc/passwd":          "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
		"/etc/group":           pick("group", "nslcd:x:112:\n", "nslcd:x:112:\nadm:x:4:admin\n", "nslcd:x:112:\nadm:x:4:admin,bob\n"),
		"/etc/pam.d/sshd":      pick("pam", "@include common\n", "account required pam_unix.so\n"),
		"/etc/pam.d/common":    pick("common", "account required pam_ldap.so\n", "account required pam_sss.so\nsession required pam_systemd.so\n", "account sufficient pam_localuser.so\naccount required pam_ldap.so\n"),
		"/etc/ssh/sshd_config": pick("sshd", "", "UseDNS yes\n", "LoginGraceTime 30\n", "AuthorizedKeysCommand /bin/x\n"),
	}
	client := pick("client", "/usr/sbin/nslcd", "/usr/sbin/sssd", "/usr/lib/libnss_ldap.so.2", "/usr/sbin/nscd")
	m[client] = ""
	m["/etc/nslcd.conf"] = "uri ldap://10.9.9.9\n" + pick("nslcd", "", "bind_timelimit 1\ntimelimit 1\nreconnect_retrytime 1\n", "bind_timelimit 30\ntimelimit 50\n")
	m["/etc/libnss-ldap.conf"] = "uri ldap://10.9.9.9\n" + pick("padl", "", "bind_policy soft\nbind_timelimit 1\ntimelimit 1\n")
	if pick("sssd", "none", "some") == "some" {
		m["/etc/sssd/sssd.conf"] = "[sssd]\ndomains=d\n[domain/d]\nid_provider=ldap\nldap_uri=ldap://10.9.9.9\n" + pick("sssd limits", "", "ldap_search_timeout=1\nldap_network_timeout=1\nldap_opt_timeout=2\n")
	}
	return m
}

func randomWanted(t *rapid.T) Wanted {
	seconds := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(1, most).Draw(t, name)) * time.Second
	}
	var w Wanted
	var uris []string
	for i := range rapid.IntRange(1, 4).Draw(t, "servers") {
		uris = append(uris, fmt.Sprintf("%s://%s%d", rapid.SampledFrom([]string{"ldap", "ldaps"}).Draw(t, "scheme"), rapid.SampledFrom([]string{"10.0.1.", "ldap"}).Draw(t, "server"), i+1))
	}
	w.Profile.Identity.Hostname = "a"
	w.Profile.Directory = &roles.Directory{
		Client: rapid.SampledFrom([]string{"auto", "nslcd", "sssd", "nss_ldap"}).Draw(t, "asked client"),
		URIs:   uris, Base: "dc=acme", BreakGlass: "admin",
		BindTimeLimit: seconds("bind_timelimit", 20), TimeLimit: seconds("timelimit", 20),
	}
	if rapid.Bool().Draw(t, "with a resolver") {
		w.Profile.Resolver = &roles.Resolver{Nameservers: []string{"10.0.0.2", "10.0.1.2"}, Timeout: seconds("timeout", 5), Attempts: rapid.IntRange(1, 3).Draw(t, "attempts")}
	}
	if rapid.Bool().Draw(t, "with a budget") {
		w.Profile.LoginBudget = seconds("login_budget", 30)
	}
	return w
}

// A resolver alone is let through unread only where it makes no login longer,
// by the reading of all that a login passes through.
func TestAResolverIsLetThroughUnreadWhereNoLoginAsksIt(t *testing.T) {
	unread, read := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := hosttest.New(t, randomDisk(rt))
		h := m.Offline()
		w := randomWanted(rt)
		w.Profile.Directory, w.Profile.LoginBudget = nil, 0
		w.Profile.Resolver = &roles.Resolver{Nameservers: []string{"10.0.0.2", "10.0.1.2"}, Timeout: 30 * time.Second, Attempts: 5}
		w.Facts.Machine = facts.ReadMachine(h)
		p, err := roles.Plan(w.Facts, w.Profile)
		if err != nil {
			rt.Fatal(err)
		}
		gate, _ := Guard(h, w, p.Offline(), plan.Disrupts)
		if gate.matters() {
			read++
			return
		}
		unread++
		disk := facts.ReadLoginNames(h, w.Facts.Machine.Has)
		now, after := judged(disk, "admin"), judged(gate.after(disk, gate.steps), "admin")
		if diff := cmp.Diff(now.Cases, after.Cases); diff != "" {
			rt.Fatalf("let through unread, and yet:\n%s", diff)
		}
	})
	if unread == 0 || read == 0 {
		t.Errorf("%d unread and %d read: the cases are too much alike", unread, read)
	}
}

// Where no file of the name service differs, none of what a login passes
// through is read: a steady pass pays nothing.
func TestTheGateReadsNothingOfASteadyMachine(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/resolv.conf": "x\n", "/etc/hosts": ""})
	var w Wanted
	w.Profile.Resolver = &roles.Resolver{Nameservers: []string{"10.0.0.2"}, Timeout: time.Second, Attempts: 1}
	p, err := roles.Plan(w.Facts, w.Profile)
	if err != nil {
		t.Fatal(err)
	}
	for pass, decides := range []bool{true, false} {
		gate, steps := Guard(m.Offline(), w, p.Offline(), plan.Disrupts)
		if _, err := converge.Run(t.Context(), m.Offline(), steps, converge.Options{Max: plan.Disrupts}); err != nil {
			t.Fatal(err)
		}
		if gate.decided != decides {
			t.Errorf("pass %d: decided %v", pass, gate.decided)
		}
	}
}

// No password of a file gets into what is reported.
func TestTheGateTellsNoSecret(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/os-release": "ID=debian\n", "/usr/sbin/nslcd": "",
		"/etc/group":      "nslcd:x:112:\n",
		"/etc/passwd":     "admin:x:1000:1000::/home/admin:/bin/sh\n",
		"/etc/pam.d/sshd": "account required pam_ldap.so bindpw=hunter1 password=hunter2\n",
		"/etc/nslcd.conf": "uri ldap://10.9.9.9\nbindpw hunter3\nbind_timelimit 1\ntimelimit 1\n",
	})
	var w Wanted
	w.Facts.Machine = facts.ReadMachine(m.Offline())
	w.Profile.Directory = &roles.Directory{Client: "nslcd", URIs: []string{"ldap://10.9.9.9"}, Base: "dc=acme", BreakGlass: "admin", BindTimeLimit: time.Second, TimeLimit: time.Minute}
	p, err := roles.Plan(w.Facts, w.Profile)
	if err != nil {
		t.Fatal(err)
	}
	gate, steps := Guard(m.Offline(), w, p.Offline(), plan.Disrupts)
	if _, err := converge.Run(t.Context(), m.Offline(), steps, converge.Options{Max: plan.Disrupts}); err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(gate.Note())
	if !strings.Contains(said, "refused") || strings.Contains(said, "hunter") {
		t.Errorf("said %s", said)
	}
	for _, s := range steps {
		if guarded(s) != slices.Contains([]string{"resolver", "nameservice", "directory", "nscd"}, s.Concern) {
			t.Errorf("%s of %s", s.ID(), s.Concern)
		}
	}
}

// A refusal names each wait that breaks a limit, the settings of a client once.
func TestARefusalNamesWhatBreaksIt(t *testing.T) {
	const limits = "nslcd: timelimit 20 in /etc/nslcd.conf"
	wait := func(file string, line int, takes time.Duration, limit string) logins.Term {
		return logins.Term{When: logins.BeforeLogin, Of: logins.OfDirectory, Takes: logins.Bound{Most: takes}, File: file, Line: line, Limit: limit}
	}
	excess := func(u logins.Who, terms ...logins.Term) logins.Excess {
		return logins.Excess{Case: logins.Case{User: u, Name: "x", Terms: terms}, When: logins.BeforeLogin, Limit: 30 * time.Second}
	}
	groups, phase := wait("/etc/nsswitch.conf", 2, 40*time.Second, limits), wait("/etc/pam.d/sshd", 3, 35*time.Second, limits)
	names := wait("/etc/ssh/sshd_config", 1, 31*time.Second, "1 nameservers in /etc/resolv.conf")
	got := said([]logins.Excess{
		excess(logins.BreakGlassUser, wait("", 0, 500*time.Millisecond, ""), phase, groups),
		excess(logins.LocalUser, phase, names),
	}, "set it lower")
	want := "; 40s of it by /etc/nsswitch.conf:2 (" + limits + "), 35s of it by /etc/pam.d/sshd:3, 31s of it by /etc/ssh/sshd_config:1 (1 nameservers in /etc/resolv.conf); to change: set it lower;"
	if !strings.Contains(got, want) {
		t.Errorf("said %s\nwant …%s", got, want)
	}
}
