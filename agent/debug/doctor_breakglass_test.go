package debug

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
)

func TestDoctorOfTheBreakGlassAccount(t *testing.T) {
	for name, c := range map[string]struct {
		passwd, mounts, user, want string
	}{
		"as it should be":  {"admin:x:1000:1000::/home/admin:/bin/sh\n", "", "admin", ""},
		"not there":        {"administrator:x:1000:1000::/home/a:/bin/sh\n+admin\n", "", "admin", "break-glass-missing"},
		"half a line":      {"admin:x:1000\n", "", "admin", "break-glass-missing"},
		"no way in":        {"admin:x:1000:1000::/home/admin:/usr/sbin/nologin\n", "", "admin", "break-glass-shell"},
		"a home elsewhere": {"admin:x:1000:1000::/home/admin:/bin/sh\n", "nas:/home /home nfs4 rw 0 0\n", "admin", "break-glass-home"},
		"both":             {"admin:x:1000:1000::/home/admin:/bin/false\n", "nas:/home /home nfs4 rw 0 0\n", "admin", "break-glass-shell break-glass-home"},
		"nobody is named":  {"", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := wantedWith(facts.Has{})
			w.Profile.Directory.BreakGlass = c.user
			l := facts.Login{Files: map[string]string{"/etc/passwd": c.passwd, "/etc/group": "adm:x:4:admin\n"}, Mounts: c.mounts}
			logins := Logins(l, w, nil, LoginAsked{})
			p := Patient{Wanted: w, Login: &l, Logins: &logins}
			got := breakGlassAccount(p)
			if codes(got, "") != c.want {
				t.Errorf("found %+v", got)
			}
			for _, f := range got {
				if f.Severity != facts.Error || !strings.Contains(f.Title, "The break-glass account admin (directory.break_glass") {
					t.Errorf("%+v", f)
				}
			}
			p.Err = errors.New("x")
			if len(breakGlassAccount(p)) != 0 || len(breakGlassAccount(Patient{Wanted: w})) != 0 {
				t.Error("found where nothing was decided or read")
			}
		})
	}
}

// With the machine at hand, what is wrong with its files is found as well, and
// where nothing is, nothing is said.
func TestDoctorLooksAtTheAccountsFiles(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/passwd":                      "admin:x:1000:1000::/home/admin:/bin/sh\n",
		"/etc/group":                       "adm:x:4:admin\n",
		"/etc/shadow":                      "admin:!:19000::::::\n",
		"/etc/shells":                      "/bin/sh\n",
		"/etc/sudoers":                     "admin ALL=(ALL) NOPASSWD:ALL\n",
		"/home/admin/.ssh/authorized_keys": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsL\n",
	})
	m.Put("/bin/sh", "", 0o755)
	find := func() string {
		h := m.Host()
		l := facts.ReadLogin(t.Context(), h)
		account := facts.ReadAccount(h, l, "admin", time.Now())
		return codes(breakGlassAccount(Patient{Wanted: wantedWith(facts.Has{}), Login: &l, Account: &account}), "")
	}
	if got := find(); got != "" {
		t.Errorf("found %s", got)
	}
	m.Put("/home/admin/.ssh/authorized_keys", "", 0o644)
	m.Put("/etc/sudoers", "", 0o644)
	m.Put("/etc/shadow", "admin:!:0::::::\n", 0o640)
	if got := find(); got != "break-glass-password-age break-glass-key break-glass-sudo" {
		t.Errorf("found %s", got)
	}
}
