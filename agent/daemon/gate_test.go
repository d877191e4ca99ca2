package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

// Limits that lock people out, and longer ones.
const (
	long    = "  bind_timelimit: 5s\n  timelimit: 30s\n"
	longest = "  bind_timelimit: 10s\n  timelimit: 60s\n"
)

func withLimits(limits string) string {
	return "role: mysql\nmatch: {security_groups: [mysql]}\nidentity: {domain: acme.private}\n" +
		"resolver: {nameservers: [10.0.0.2]}\n" +
		"directory:\n  uris: [ldap://10.9.9.7]\n  base: dc=acme,dc=private\n  break_glass: admin\n" + limits +
		"ganglia: {cluster: mysql, port: 8631, collectors: [10.0.0.4]}\n"
}

// loginMachine is a Debian with libpam-ldapd as installed, and more files.
func loginMachine(t *testing.T, more map[string]string) *hosttest.Machine {
	t.Helper()
	m := machine(t, thisID)
	m.Put("/etc/pam.d/common-account", "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n"+
		"account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad] pam_ldap.so minimum_uid=1000\n", 0o644)
	m.Put("/etc/pam.d/sshd", "@include common-account\n", 0o644)
	for path, text := range more {
		m.Put(path, text, 0o644)
	}
	return m
}

// worseDisk has every login wait for the directory, for as long as nslcd does
// when nobody tells it.
func worseDisk() map[string]string {
	return map[string]string{
		"/etc/nsswitch.conf": "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\nhosts: files dns\n",
		"/etc/nslcd.conf":    "uri ldap://10.9.9.9\nuri ldap://10.9.9.8\nbase dc=acme,dc=private\n",
	}
}

func gatePass(t *testing.T, m *hosttest.Machine, role string) api.Report {
	t.Helper()
	m.Put("/etc/reveille/roles.d/mysql.yaml", role, 0o644)
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs = nil
	out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out.Report
}

// nameFiles is what no refused pass may touch.
func nameFiles(m *hosttest.Machine) map[string]string {
	out := map[string]string{}
	for path, is := range m.Tree("/run", "/var") {
		for _, p := range []string{"/etc/resolv", "/etc/nss", "/etc/nslcd", "/etc/ldap", "/etc/dhcp", "/etc/pam", "/etc/Network"} {
			if strings.HasPrefix(path, p) {
				out[path] = is
			}
		}
	}
	return out
}

// wantRefused checks the report of a pass whose name-service files were
// refused, for reasons that hold these words.
func wantRefused(t *testing.T, r api.Report, words ...string) {
	t.Helper()
	refused := 0
	for _, s := range r.Steps {
		named := s.Concern == "resolver" || s.Concern == "nameservice" || s.Concern == "directory"
		switch {
		case named && s.State == "failed" && strings.HasPrefix(s.Error, "refused, and what is there stays: "):
			refused++
		case named && s.State != "blocked", !named && s.State != "changed" && s.State != "ok":
			t.Errorf("%s is %s: %s", s.ID, s.State, s.Error)
		}
	}
	notes := strings.Join(r.Notes, "\n")
	for _, w := range words {
		if !strings.Contains(notes, w) {
			t.Errorf("no %q in the notes:\n%s", w, notes)
		}
	}
	if refused < 2 || r.State != api.Failed || r.Hostname != "dev-mysql01" {
		t.Errorf("%d refused:\n%s", refused, text(r))
	}
}

func TestALockoutIsNotWritten(t *testing.T) {
	m := loginMachine(t, nil)
	before := nameFiles(m)
	for _, n := range []string{"first", "second"} {
		wantRefused(t, gatePass(t, m, withLimits(long)),
			"the files of the name service: refused, and what is there stays: the login of admin (break_glass), servers slow: before authentication takes up to",
			"and may take 30s", "of it by /etc/pam.d/common-account:4 (nslcd: ", "timelimit 30", "; to change: set directory.timelimit from role file /etc/reveille/roles.d/mysql.yaml:10, lower;")
		if diff := cmp.Diff(before, nameFiles(m)); diff != "" {
			t.Errorf("the %s pass wrote (-before +after)\n%s", n, diff)
		}
	}
	if got := m.Read("/etc/hostname"); !strings.HasPrefix(got, "dev-mysql01") {
		t.Errorf("hostname %q", got)
	}
	for _, j := range m.Jobs() {
		if strings.Contains(j, "nslcd") {
			t.Errorf("it did %s", j)
		}
	}
	// Shorter limits, and all is as if nothing had been.
	if r := gatePass(t, m, withLimits("")); r.State != api.Ready || len(r.Notes) != 0 {
		t.Errorf("with the default limits:\n%s", text(r))
	}
}

// What is bad is written over what is worse, and said to be bad; and refused
// once the disk has become better than it.
func TestWhatBettersTheDiskIsWritten(t *testing.T) {
	m := loginMachine(t, worseDisk())
	r := gatePass(t, m, withLimits(long))
	if r.State != api.Ready || !strings.Contains(strings.Join(r.Notes, "\n"), "no longer than before, and still over its limit: the login of admin") {
		t.Fatalf("over a worse disk:\n%s", text(r))
	}
	// The gate has nothing to say of what is there already; that the break-glass
	// account waits for so long, every pass says.
	if again := gatePass(t, m, withLimits(long)); again.State != api.Ready || len(again.Notes) != 1 || !strings.Contains(again.Notes[0], "NOT PROVEN") || !strings.Contains(again.Notes[0], "break-glass-waits") {
		t.Errorf("a second pass:\n%s", text(again))
	}
	before := nameFiles(m)
	wantLonger := gatePass(t, m, withLimits(longest))
	if diff := cmp.Diff(before, nameFiles(m)); diff != "" || wantLonger.State != api.Failed {
		t.Errorf("longer limits than those on disk were written:\n%s\n%s", diff, text(wantLonger))
	}
}

// A server that takes connections and never answers TLS holds up whoever PAM
// asks for, whatever the limits: it is not written while that is the break-glass
// user. Once PAM leaves him alone it is, and told: to refuse every directory by
// TLS for its own users' sake would help nobody.
func TestNoTLSWithoutAWayIn(t *testing.T) {
	byTLS := strings.ReplaceAll(withLimits(""), "ldap://", "ldaps://")
	m := loginMachine(t, nil)
	before := nameFiles(m)
	wantRefused(t, gatePass(t, m, byTLS), "the login of admin (break_glass), servers hung: before authentication takes up to 61.5s, and may take 30s;",
		"; to change: keep local users off pam_ldap: `sufficient pam_localuser.so`, or a jump over it, in the line before;")
	if diff := cmp.Diff(before, nameFiles(m)); diff != "" {
		t.Errorf("files were written:\n%s", diff)
	}
	m.Put("/etc/pam.d/common-account", localFirst, 0o644)
	r := gatePass(t, m, byTLS)
	notes := strings.Join(r.Notes, "\n")
	if r.State != api.Ready || !strings.Contains(notes, "over its limit, and no setting of the profile mends it: the login of a-directory-user (directory), servers hung: ") {
		t.Errorf("%s", text(r))
	}
}

// No home, and no program of sshd's, is bettered by leaving resolv.conf alone.
func TestWhatIsNotOursBlocksNothing(t *testing.T) {
	m := loginMachine(t, map[string]string{
		"/proc/self/mounts":             "nas:/home /home nfs4 rw,hard 0 0\n",
		"/etc/ssh/sshd_config":          "AuthorizedKeysCommand /usr/local/bin/keys %u\nAuthorizedKeysCommandUser root\n",
		"/etc/auto.master":              "/home /etc/auto.home\n",
		"/etc/pam.d/sshd":               "@include common-account\nsession required pam_exec.so /usr/local/bin/seen\n",
		"/etc/update-motd.d/90-weather": "#!/bin/sh\ncurl https://x\n",
	})
	r := gatePass(t, m, withLimits(""))
	if r.State != api.Ready || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "break-glass-home;") {
		t.Errorf("%s", text(r))
	}
}

func TestLoginBudgetOfTheProfile(t *testing.T) {
	m := loginMachine(t, map[string]string{"/etc/ssh/sshd_config": "LoginGraceTime 100\n"})
	before := nameFiles(m)
	wantRefused(t, gatePass(t, m, withLimits("")+"login_budget: 5s\n"), "and may take 5s", "; to change: set login_budget from role file /etc/reveille/roles.d/mysql.yaml:10, higher;")
	wantRefused(t, gatePass(t, m, withLimits("")+"login_budget: 101s\n"), "login_budget is 1m41s, and this machine's sshd waits for 1m40s (LoginGraceTime): set it to 1m40s or less (login_budget from ")
	if diff := cmp.Diff(before, nameFiles(m)); diff != "" {
		t.Errorf("files were written:\n%s", diff)
	}
	if r := gatePass(t, m, withLimits(long)+"login_budget: 80s\n"); r.State != api.Ready {
		t.Errorf("within a longer limit:\n%s", text(r))
	}
}

// A section that nobody asks for any more goes back to what the image had, and
// not where that locks people out.
func TestAnImageThatLocksOutDoesNotComeBack(t *testing.T) {
	m := loginMachine(t, worseDisk())
	if r := gatePass(t, m, withLimits("")); r.State != api.Ready {
		t.Fatalf("the first pass:\n%s", text(r))
	}
	ours := nameFiles(m)
	none := "role: mysql\nmatch: {security_groups: [mysql]}\nidentity: {domain: acme.private}\n"
	r := gatePass(t, m, none)
	if diff := cmp.Diff(ours, nameFiles(m)); diff != "" || !strings.Contains(strings.Join(r.Notes, "\n"), "refused, and what is there stays") {
		t.Errorf("the image's own came back:\n%s\n%s", diff, text(r))
	}
	if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil || m.Read("/etc/nslcd.conf") != worseDisk()["/etc/nslcd.conf"] {
		t.Errorf("a person may have it back: %v", err)
	}
}

// Ended by SIGKILL anywhere, a pass that betters the disk goes on the next
// time, though half of it has made the disk better already.
func TestKilledBehindTheGate(t *testing.T) {
	if m, ok := hosttest.InChild(t); ok {
		withUnits(m)
		gatePass(t, m, withLimits(long))
		return
	}
	whole := loginMachine(t, worseDisk())
	gatePass(t, whole, withLimits(long))
	want := nameFiles(whole)
	n := 1
	for ; ; n += 4 {
		m := loginMachine(t, worseDisk())
		if !m.Child(t, n) {
			break
		}
		if r := gatePass(t, m, withLimits(long)); r.State != api.Ready {
			t.Errorf("killed at point %d: the next pass:\n%s", n, text(r))
		}
		if diff := cmp.Diff(want, nameFiles(m)); diff != "" {
			t.Errorf("killed at point %d: the next pass left (-want +got)\n%s", n, diff)
		}
	}
	if n < 50 {
		t.Errorf("only %d points to be killed at", n)
	}
}

// What nscd keeps is looked up by nscd, which may take longer: it stands behind
// the gate like the rest.
func TestNscdStandsBehindTheGate(t *testing.T) {
	m := loginMachine(t, map[string]string{"/usr/sbin/nscd": ""})
	m.SetUnit("nscd.service", "active")
	r := gatePass(t, m, withLimits(long)+"nscd: {}\n")
	for _, s := range r.Steps {
		if s.ID == "file:/etc/nscd.conf" && !strings.HasPrefix(s.Error, "refused, and what is there stays") {
			t.Errorf("%s: %s", s.State, s.Error)
		}
	}
	if _, there := m.Tree()["/etc/nscd.conf"]; there || r.State != api.Failed {
		t.Errorf("it was written:\n%s", text(r))
	}
}
