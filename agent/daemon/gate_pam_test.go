package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reveille/agent"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

const localFirst = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n" +
	"account [success=1 default=ignore] pam_localuser.so\naccount required pam_ldap.so\n"

// pamMachine is a Debian whose pam-auth-update works, or leaves alone what it
// takes for changed by hand.
func pamMachine(t *testing.T, works bool) *hosttest.Machine {
	m := loginMachine(t, map[string]string{"/lib/security/pam_ldap.so": "", "/usr/sbin/pam-auth-update": "", "/var/lib/pam/account": ""})
	withPAM(t, m, m.Read("/etc/pam.d/common-account"), works)
	return m
}

// withPAM scripts pam-auth-update, for a machine whose common-account was so
// before.
func withPAM(t *testing.T, m *hosttest.Machine, before string, works bool) {
	update := []string{"/usr/bin/nice", "-n", "10", "/usr/sbin/pam-auth-update", "--enable"}
	on, off := slices.Concat(update, []string{"reveille-ldap"}), slices.Concat(update, []string{"ldap", "--remove", "reveille-ldap"})
	m.Command(on, host.Output{}, nil)
	m.Command(off, host.Output{}, nil)
	m.OnRun(func(argv []string) {
		text := before
		if slices.Equal(argv, on) {
			text = localFirst
		}
		if works {
			if err := os.WriteFile(filepath.Join(m.Root, "/etc/pam.d/common-account"), []byte(text), 0o644); err != nil {
				t.Error(err)
			}
		}
	})
}

// With long limits a local user's login is over its own for as long as PAM asks
// for him: the files wait for PAM, and are written once it leaves him alone.
func TestTheFilesWaitForPAM(t *testing.T) {
	m := pamMachine(t, true)
	r := gatePass(t, m, withLimits(long))
	if r.State != api.Ready || len(r.Notes) != 0 {
		t.Fatalf("%s", text(r))
	}
	effects := m.Effects()
	pam := slices.Index(effects, "run:/usr/bin/nice -n 10 /usr/sbin/pam-auth-update --enable reveille-ldap")
	for _, file := range []string{"/etc/nsswitch.conf", "/etc/nslcd.conf", "/etc/resolv.conf"} {
		if at := slices.Index(effects, "write:"+file); pam < 0 || at < pam {
			t.Errorf("PAM was changed as number %d, and %s written as %d", pam, file, at)
		}
	}
}

// With servers by TLS no limit mends what PAM costs: the files wait for it too,
// and are refused where it stays as it is.
func TestServersByTLSWaitForPAM(t *testing.T) {
	byTLS := strings.ReplaceAll(withLimits(""), "ldap://", "ldaps://")
	m := pamMachine(t, true)
	r := gatePass(t, m, byTLS)
	notes := strings.Join(r.Notes, "\n")
	if r.State != api.Ready || strings.Contains(notes, "the login of admin (break_glass)") || !strings.Contains(notes, "over its limit") {
		t.Errorf("%s", text(r))
	}
	effects := m.Effects()
	pam := slices.Index(effects, "run:/usr/bin/nice -n 10 /usr/sbin/pam-auth-update --enable reveille-ldap")
	if at := slices.Index(effects, "write:/etc/nslcd.conf"); pam < 0 || at < pam {
		t.Errorf("PAM was changed as number %d, and nslcd.conf written as %d", pam, at)
	}
	m = pamMachine(t, false)
	before := nameFiles(m)
	r = gatePass(t, m, byTLS)
	if r.State != api.Failed || !strings.Contains(strings.Join(r.Notes, "\n"), "refused, and what is there stays: the login of admin (break_glass), servers hung: ") {
		t.Errorf("%s", text(r))
	}
	for path, is := range nameFiles(m) {
		if before[path] != is && !strings.HasPrefix(path, "/etc/pam.d") {
			t.Errorf("%s was written", path)
		}
	}
}

// Limits within which PAM may ask for everybody do not make a boot wait for
// pam-auth-update.
func TestNothingWaitsForPAMWithoutNeed(t *testing.T) {
	m := pamMachine(t, true)
	r := gatePass(t, m, withLimits(""))
	if r.State != api.Ready || len(r.Notes) != 0 {
		t.Fatalf("%s", text(r))
	}
	for _, s := range r.Steps {
		if s.ID == "file:/etc/resolv.conf" && s.Attempts != 1 {
			t.Errorf("looked at %d times", s.Attempts)
		}
	}
	if m.Read("/etc/pam.d/common-account") != localFirst {
		t.Error("and PAM was not changed")
	}
}

// Where PAM stays as it is, the verdict is what it would have been without it.
func TestPAMThatStaysAsItIsCounts(t *testing.T) {
	m := pamMachine(t, false)
	before := nameFiles(m)
	r := gatePass(t, m, withLimits(long))
	if r.State != api.Failed || !strings.Contains(strings.Join(r.Notes, "\n"), "refused, and what is there stays: the login of admin") {
		t.Errorf("%s", text(r))
	}
	for path, is := range nameFiles(m) {
		if before[path] != is {
			t.Errorf("%s was written", path)
		}
	}
	pam := slices.IndexFunc(r.Steps, func(s api.Step) bool { return s.ID == "pam:reveille-ldap" })
	if s := r.Steps[pam]; s.State != "failed" || s.Required || !strings.Contains(s.Error, "changed by hand") {
		t.Errorf("%+v", s)
	}
	// The long limits are within theirs once local users are left alone.
	if r := gatePass(t, pamMachine(t, true), withLimits(long)); r.State != api.Ready {
		t.Errorf("%s", text(r))
	}
}

// With the section PAM goes back to the image's own, after the name service has;
// and not where that locks people out.
func TestPAMGoesBackWithTheDirectory(t *testing.T) {
	none := "role: mysql\nmatch: {security_groups: [mysql]}\nidentity: {domain: acme.private}\n"
	m := pamMachine(t, true)
	before := nameFiles(m)
	gatePass(t, m, withLimits(""))
	if r := gatePass(t, m, none); r.State != api.Ready {
		t.Fatalf("%s", text(r))
	}
	for path, is := range nameFiles(m) {
		if before[path] != is {
			t.Errorf("%s is not as it was", path)
		}
	}

	m = pamMachine(t, true)
	for path, is := range worseDisk() {
		m.Put(path, is, 0o644)
	}
	gatePass(t, m, withLimits(""))
	r := gatePass(t, m, none)
	if m.Read("/etc/pam.d/common-account") != localFirst || !strings.Contains(strings.Join(r.Notes, "\n"), "refused, and what is there stays") {
		t.Errorf("PAM went back before what makes it wait:\n%s", text(r))
	}
}

// Ended by SIGKILL anywhere, a pass that changes PAM goes on the next time, and
// a restore has the package's profile in force again.
func TestKilledWhilePAMIsChanged(t *testing.T) {
	role := strings.ReplaceAll(withLimits(""), "ldap://", "ldaps://")
	image := loginMachine(t, nil).Read("/etc/pam.d/common-account")
	if m, ok := hosttest.InChild(t); ok {
		withUnits(m)
		withPAM(t, m, image, true)
		gatePass(t, m, role)
		return
	}
	n := 1
	for ; ; n += 5 {
		m := pamMachine(t, true)
		died := m.Child(t, n)
		if r := gatePass(t, m, role); r.State != api.Ready || m.Read("/etc/pam.d/common-account") != localFirst {
			t.Errorf("killed at point %d: the next pass:\n%s", n, text(r))
		}
		if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil || m.Read("/etc/pam.d/common-account") != image {
			t.Errorf("killed at point %d, and restored: %v\n%s", n, err, m.Read("/etc/pam.d/common-account"))
		}
		if !died {
			break
		}
	}
	if n < 50 {
		t.Errorf("only %d points to be killed at", n)
	}
}
