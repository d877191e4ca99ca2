package facts

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

// loginMachine is a machine with nslcd, whose files hold passwords wherever one
// can stand: each has "hunter" in it.
func loginMachine(t *testing.T) *hosttest.Machine {
	return hosttest.New(t, map[string]string{
		"/etc/resolv.conf":                   "-> /run/resolv.conf",
		"/run/resolv.conf":                   "nameserver 10.0.0.2\n",
		"/etc/nslcd.conf":                    "uri ldap://10.9.9.9/\n  BindPW  hunter1 hunter\n#bindpw hunter2\nrootpwmodpw hunter3\nbind_timelimit 5\n",
		"/etc/libnss-ldap.conf":              "rootbindpw hunter4\ntimelimit 15\n",
		"/etc/sssd/sssd.conf":                "[domain/x]\nldap_default_authtok = hunter5\n  hunter6\nldap_default_authtok_type = password\ntimeout = 3\n",
		"/etc/auto.master":                   "/home /srv/maps/home --timeout=5\n/smb file:/etc/auto.smb\n/- ldap:ou=x\n",
		"/srv/maps/home":                     "* -fstype=cifs,username=x,password=hunter7,soft ://nas/home\n",
		"/etc/auto.smb":                      "#!/bin/sh\necho hunter8\n",
		"/etc/pam.d/sshd":                    "auth required pam_mysql.so user=x passwd=\"hunter 9\" [passwd=hunter 10] minimum_uid=1000\n",
		"/etc/pam.d/sshd.d/":                 "",
		"/etc/passwd":                        "root:x:0:0::/root:/bin/sh\nold:$1$hunter:1001:1001::/home/old:/bin/sh\n",
		"/etc/group":                         "sudo:x:27:admin\n",
		"/etc/update-motd.d/90-news":         "#!/bin/sh\n# curl nothing\nTOKEN=hunter10 /usr/bin/curl -u me:hunter11 https://x\n",
		"/etc/ssh/sshd_config":               "Port 22\nLoginGraceTime 2m\nMatch group x\nUseDNS no\n",
		"/etc/ssh/sshd_config.d/10-dns.conf": "UseDNS=yes\n# LoginGraceTime 5\n",
		"/proc/self/mounts":                  "//nas/x /x cifs rw,password=hunter12 0 0\n",
		"/usr/sbin/nslcd":                    "", "/usr/sbin/sssd": "", "/usr/sbin/sshd": "", "/usr/sbin/nscd": "",
		"/run/nscd/nscd.pid": "7\n", "/proc/7/": "",
		"/run/sssd.pid": "8\n",
	})
}

func TestReadLogin(t *testing.T) {
	m := loginMachine(t)
	m.SetUnit("nslcd.service", "active")
	m.Command([]string{sshdProgram, "-T"}, host.Output{Stdout: []byte("logingracetime 30\n")}, nil)
	l := ReadLogin(t.Context(), m.Host())

	for path, want := range map[string]string{
		"/etc/resolv.conf":           "nameserver 10.0.0.2\n",
		"/etc/nslcd.conf":            "uri ldap://10.9.9.9/\n  BindPW  (masked)\n#bindpw (masked)\nrootpwmodpw (masked)\nbind_timelimit 5\n",
		"/etc/sssd/sssd.conf":        "[domain/x]\nldap_default_authtok = (masked)\n (masked)\nldap_default_authtok_type = password\ntimeout = 3\n",
		"/srv/maps/home":             "* -fstype=cifs,username=x,password=(masked),soft ://nas/home\n",
		"/etc/auto.smb":              "",
		"/etc/pam.d/sshd":            "auth required pam_mysql.so user=x passwd=(masked) [passwd=(masked)] minimum_uid=1000\n",
		"/etc/passwd":                "root:x:0:0::/root:/bin/sh\nold:(masked):1001:1001::/home/old:/bin/sh\n",
		"/etc/update-motd.d/90-news": "\n\ncurl\n",
	} {
		if got, ok := l.Files[path]; !ok || got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, there := l.Files["/etc/ldap.conf"]; there {
		t.Error("a file that is not there was read")
	}
	if l.Sshd != "logingracetime 30\n" || !strings.Contains(l.Mounts, "cifs rw,password=(masked) 0 0") {
		t.Errorf("sshd %q, mounts %q", l.Sshd, l.Mounts)
	}
	if want := (LoginRunning{Nslcd: true, Nscd: true}); l.Running != want {
		t.Errorf("running %+v, want %+v", l.Running, want)
	}
	if want := []string{"sssd.service is installed and does not run: not counted"}; !slices.Equal(l.Notes, want) {
		t.Errorf("notes %q", l.Notes)
	}
	if effects := m.Effects(); !slices.Equal(effects, []string{"run:" + sshdProgram + " -T"}) || len(m.Jobs()) != 0 {
		t.Errorf("it did something: %v %v", effects, m.Jobs())
	}

	var saved bytes.Buffer
	if err := Save(&saved, Facts{Version: Version, Source: FromNone, Login: &l}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(saved.String(), "hunter") {
		t.Errorf("a password was saved:\n%s", saved.String())
	}
	again, err := Load(&saved)
	if err != nil || again.Login == nil || jsonOf(again.Login) != jsonOf(l) {
		t.Errorf("loaded: %v %+v", err, again.Login)
	}
}

// What a pass reads is of the same bytes, and asks nobody.
func TestReadLoginNames(t *testing.T) {
	m := loginMachine(t)
	m.Put("/etc/pam.d/sshd", "@include common\naccount substack deeper\nsession include sshd\nauth required pam_x.so passwd=hunter0\n", 0o644)
	m.Put("/etc/pam.d/common", "auth include /etc/pam.d/rooted\n", 0o644)
	for _, unwanted := range []string{"rooted", "deeper", "cron"} {
		m.Put("/etc/pam.d/"+unwanted, "account required pam_unix.so\n", 0o644)
	}
	got := ReadLoginNames(m.Host(), Has{Nslcd: true, SSSD: true})
	if effects := m.Effects(); len(effects) != 0 {
		t.Errorf("it did %v", effects)
	}
	whole := ReadLogin(t.Context(), m.Offline())
	want := []string{
		"/etc/group", "/etc/nslcd.conf", "/etc/pam.d/common", "/etc/pam.d/deeper", "/etc/pam.d/rooted", "/etc/pam.d/sshd", "/etc/passwd",
		"/etc/resolv.conf", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/10-dns.conf", "/etc/sssd/sssd.conf",
	}
	if paths := slices.Sorted(maps.Keys(got.Files)); !slices.Equal(paths, want) {
		t.Errorf("read %v", paths)
	}
	for path, text := range got.Files {
		if text != whole.Files[path] || strings.Contains(text, "hunter") {
			t.Errorf("%s: %q, and whole %q", path, text, whole.Files[path])
		}
	}
	if got.Sshd != whole.Sshd || got.Mounts != "" || got.Running != (LoginRunning{Nslcd: true, SSSD: true}) || len(got.Notes) != 0 {
		t.Errorf("%+v", got)
	}
	for text, waits := range map[string]bool{
		"": false, "#uri ldap://a/\n": false, "uri ldap://localhost/\n": false, "URI ldapi:/// ldap://127.0.0.1/ ldap://[::1]:389\n": false,
		"uri ldap://localhost/ ldaps://ldap.acme/\n": true, "host 10.0.0.1\n": true, "uri DNS\n": true,
	} {
		if asksNetwork(text) != waits {
			t.Errorf("%q", text)
		}
	}
	m.Put("/etc/ssh/sshd_config.d/20-pam.conf", "PAMServiceName other-sshd\n", 0o644)
	m.Put("/etc/pam.d/other-sshd", "auth required pam_unix.so\n", 0o644)
	m.Put("/etc/hosts", "-> hosts", 0)
	got = ReadLoginNames(m.Host(), Has{})
	if _, there := got.Files["/etc/pam.d/other-sshd"]; !there || len(got.Notes) != 1 || got.Files["/etc/nslcd.conf"] != "" {
		t.Errorf("%+v", got)
	}
}

// Of a folder nothing can be asked; sshd's own files then say what they can.
func TestReadLoginOfAFolder(t *testing.T) {
	l := ReadLogin(t.Context(), loginMachine(t).Offline())
	if want := "logingracetime 120\nusedns yes\n"; l.Sshd != want {
		t.Errorf("sshd %q, want %q", l.Sshd, want)
	}
	if want := (LoginRunning{Nslcd: true, SSSD: true, Nscd: true}); l.Running != want || l.Mounts != "" {
		t.Errorf("running %+v, mounts %q", l.Running, l.Mounts)
	}
	if len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "a machine that lies in a folder") {
		t.Errorf("notes %q", l.Notes)
	}
	if empty := ReadLogin(t.Context(), hosttest.New(t, nil).Offline()); len(empty.Files) != 0 || len(empty.Notes) != 1 {
		t.Errorf("of nothing: %+v", empty)
	}
}

// What fails, hangs or is too large is said, and the rest is read all the same.
func TestReadLoginSaysWhatItCouldNot(t *testing.T) {
	m := loginMachine(t)
	m.Put("/etc/nsswitch.conf", "-> nsswitch.conf", 0)
	m.Put("/etc/hosts", strings.Repeat("#", maxLoginFile+1), 0o644)
	for i := range maxLoginMany + 1 {
		m.Put("/etc/auto.master.d/"+strconv.Itoa(i)+".autofs", "", 0o644)
	}
	m.Busy(2 * askUnits)
	m.Command([]string{sshdProgram, "-T"}, host.Output{Code: 1}, errors.New("no host keys"))
	ctx, cancel := context.WithTimeout(t.Context(), askUnits/20)
	defer cancel()
	if err := os.Remove(filepath.Join(m.Root, "etc/pam.d/sshd.d")); err != nil {
		t.Fatal(err)
	}
	l := ReadLogin(ctx, m.Host())
	notes := strings.Join(l.Notes, "\n")
	for _, want := range []string{
		"/etc/nsswitch.conf: unreadable", "/etc/hosts: 262145 bytes are more than is read", "201 files, of which the first 200 are read",
		"what runs is told by its process alone", "sshd's settings are read from its files",
	} {
		if strings.Count(notes, want) != 1 {
			t.Errorf("not once %q in\n%s", want, notes)
		}
	}
	if !l.Running.Nscd || l.Files["/etc/group"] == "" || l.Sshd == "" {
		t.Errorf("the rest: %+v", l)
	}
}
