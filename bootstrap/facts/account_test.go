package facts

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host/hosttest"
)

// testKey is a line's type and bytes, as ssh-keygen writes them.
func testKey(kind string) string {
	blob := binary.BigEndian.AppendUint32(nil, uint32(len(kind)))
	blob = append(blob, kind...)
	blob = binary.BigEndian.AppendUint32(blob, 32)
	blob = append(blob, strings.Repeat("k", 32)...)
	return kind + " " + base64.StdEncoding.EncodeToString(blob)
}

// accountMachine is a machine whose admin gets in. No word of its secrets may
// come into what is read.
func accountMachine(t *testing.T) *hosttest.Machine {
	return hosttest.New(t, map[string]string{
		"/etc/passwd":                            "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/bash\n",
		"/etc/group":                             "sudo:x:27:admin\nadmin:x:1000:\n",
		"/etc/shadow":                            "root:*:1::::::\nadmin:$y$hunter$hunter:19000:0:99999:7:3:20000:\n",
		"/etc/shells":                            "# shells\n/bin/sh\n/bin/bash\n",
		"/bin":                                   "-> usr/bin",
		"/usr/bin/bash":                          "x",
		"/home":                                  "-> /srv/people/",
		"/srv/people/admin/.ssh/authorized_keys": "# hunter\n" + testKey("ssh-ed25519") + " hunter@laptop\n",
		"/etc/sudoers":                           "Defaults x\n# a \\\nroot ALL=(ALL) \\\n  ALL\n@includedir /etc/sudoers.d\n# includedir /x\n",
		"/etc/sudoers.d/90-admin":                "admin ALL=(ALL) NOPASSWD:ALL\n@include ../sudo-%h\n",
		"/etc/sudoers.d/91.dpkg-old":             "eve ALL=(ALL) ALL\n",
		"/etc/sudoers.d/92~":                     "eve ALL=(ALL) ALL\n",
		"/etc/sudo-db01":                         "ops ALL=(ALL) ALL\n",
		"/etc/hostname":                          "db01.acme.private\n",
	})
}

func readAccount(m *hosttest.Machine, name string) Account {
	h := m.Host()
	return ReadAccount(h, ReadLoginNames(h, Has{}), name, time.Unix(20000*86400+5, 0))
}

func TestReadAccount(t *testing.T) {
	m := accountMachine(t)
	a := readAccount(m, "admin")
	if want := (Shadow{There: true, Password: PasswordSet, Changed: 19000, Most: 99999, Inactive: 3, Expires: 20000}); a.Shadow != want || a.Today != 20000 {
		t.Errorf("%+v, day %d", a.Shadow, a.Today)
	}
	if a.Shell.End().Path != "/usr/bin/bash" || a.Home.End().Path != "/srv/people/admin" || !a.Home.End().Mode.IsDir() || !slices.Equal(a.Shells, []string{"/bin/sh", "/bin/bash"}) {
		t.Errorf("shell %+v, home %+v, shells %v", a.Shell, a.Home, a.Shells)
	}
	if len(a.Keys) != 2 || !slices.EqualFunc(a.Keys[0].Keys, []string{"ssh-ed25519"}, func(k AuthorizedKey, s string) bool { return k.Type == s }) ||
		a.Keys[1].Missing != "/srv/people/admin/.ssh/authorized_keys2" {
		t.Errorf("keys %+v", a.Keys)
	}
	if a.NoLogin {
		t.Error("it is closed to nobody")
	}
	m.Put("/etc/fstab", "//nas/x /x cifs user=u,password=hunter 0 0\n", 0o644)
	if got := readAccount(m, "admin").Fstab; !strings.HasPrefix(got, "//nas/x /x cifs ") || strings.Contains(got, "hunter") {
		t.Errorf("fstab %q", got)
	}
	m.Put("/etc/nologin", "back at noon\n", 0o644)
	if !readAccount(m, "admin").NoLogin {
		t.Error("it is closed to all but root")
	}
	var steps []string
	for _, s := range a.Keys[0].Steps {
		steps = append(steps, s.Path)
	}
	if want := "/ /srv /srv/people /srv/people/admin /srv/people/admin/.ssh /srv/people/admin/.ssh/authorized_keys"; strings.Join(steps, " ") != want {
		t.Errorf("steps %v", steps)
	}
	want := []SudoersLine{
		{"/etc/sudoers", 1, "Defaults x"}, {"/etc/sudoers", 2, `# a \`}, {"/etc/sudoers", 3, "root ALL=(ALL) ALL"},
		{"/etc/sudoers.d/90-admin", 1, "admin ALL=(ALL) NOPASSWD:ALL"}, {"/etc/sudo-db01", 1, "ops ALL=(ALL) ALL"},
		{"/etc/sudoers", 6, "# includedir /x"},
	}
	if d := cmp.Diff(want, a.Sudoers.Lines); d != "" || len(a.Sudoers.Unread) != 0 || !a.Sudoers.There {
		t.Errorf("sudoers (-want +got)\n%s%v", d, a.Sudoers.Unread)
	}
	if strings.Contains(fmt.Sprintf("%+v", a), "hunter") || strings.Contains(fmt.Sprintf("%+v", a), "kkkk") {
		t.Errorf("a secret was read: %+v", a)
	}
	if len(m.Effects()) != 0 {
		t.Errorf("it did %v", m.Effects())
	}
	if got := readAccount(m, "nobody-here"); got.Shadow.There || got.Home.Path != "" || len(got.Keys) != 0 {
		t.Errorf("of nobody: %+v", got)
	}
}

// What another machine serves is not even looked at: a look would wait for it.
func TestReadAccountLeavesOtherMachinesAlone(t *testing.T) {
	for mounts, remote := range map[string]string{
		"nas:/x / ext4 rw 0 0\nnas:/p /srv/people nfs4 rw 0 0\n":             "nfs4 on /srv/people",
		"/etc/auto.home /srv/people autofs rw 0 0\n":                         "autofs on /srv/people",
		"x /srv/people/admin fuse.sshfs rw 0 0\n":                            "fuse.sshfs on /srv/people/admin",
		"x /srv/people odd\\040fs rw 0 0\n":                                  "odd\\040fs on /srv/people",
		"nas:/p /srv/people nfs4 rw 0 0\n/dev/x /srv/people ext4 rw 0 0\n":   "",
		"nas:/p /srv/peopl nfs4 rw 0 0\nnas:/q /srv/people/eve nfs rw 0 0\n": "",
	} {
		m := accountMachine(t)
		m.Put("/proc/self/mounts", mounts, 0o644)
		a := readAccount(m, "admin")
		if a.Home.Remote != remote || a.Keys[0].Remote != remote || remote != "" && (a.Home.End().Exists || len(a.Keys[0].Keys) != 0) {
			t.Errorf("%q: home %+v, keys %+v", mounts, a.Home, a.Keys[0])
		}
	}
}

func TestReadAccountOfAwkwardPaths(t *testing.T) {
	m := accountMachine(t)
	for p, want := range map[string]string{
		"/loop": "too many links", "bash": "no absolute path", "/etc/passwd/x": "missing /etc/passwd/x", "/up": "/etc",
	} {
		m.Put("/loop", "-> /loop", 0)
		m.Put("/up", "-> ../usr/../../etc/.", 0)
		r := &accountReader{loginReader: loginReader{looker: looker{h: m.Host()}}}
		w := r.walk(p)
		if got := w.Unread + w.End().Path + "missing " + w.Missing; !strings.Contains(got, want) {
			t.Errorf("%s: %+v", p, w)
		}
	}
	m.Put("/opt/a/x", "x", 0o644)
	m.Put("/opt/b/x", "x", 0o644)
	m.Put("/side", "-> opt/a/../b", 0)
	var steps []string
	for _, s := range (&accountReader{loginReader: loginReader{looker: looker{h: m.Host()}}}).walk("/side/x").Steps {
		steps = append(steps, s.Path)
	}
	if got := strings.Join(steps, " "); got != "/ /opt /opt/b /opt/b/x" {
		t.Errorf("a link that goes up and down again leads by way of %s; want what lies above its end alone", got)
	}
	m.Put("/etc/ssh/sshd_config", "AuthorizedKeysFile /etc/ssh/keys/%u %h/k%% %f none\nAllowUsers a\nAllowUsers b c\nPort 22\n", 0o644)
	var paths []string
	a := readAccount(m, "admin")
	for _, k := range a.Keys {
		paths = append(paths, k.Path+k.Unread)
	}
	if want := "/etc/ssh/keys/admin /home/admin/k% %fit holds a token that is not known here"; strings.Join(paths, " ") != want {
		t.Errorf("%q", paths)
	}
	if v, _ := sshdValue(a.Login.Sshd, "allowusers"); v != "a b c" {
		t.Errorf("allowusers %q: all lines count", v)
	}
}

// sudo passes over files that others may write; so must who reads its rules.
func TestReadSudoersAsSudoDoes(t *testing.T) {
	m := accountMachine(t)
	if err := os.Chmod(filepath.Join(m.Root, "etc/sudoers.d/90-admin"), 0o666); err != nil {
		t.Fatal(err)
	}
	m.Put("/etc/sudoers", "@include /etc/sudoers\n@include gone\n@includedir gone.d\n#include \"/etc/sudoers.d/90-admin\"\n", 0o440)
	s := readAccount(m, "admin").Sudoers
	unread := strings.Join(s.Unread, "\n")
	for _, want := range []string{"deeper files", "/etc/gone: it is included and not there", "90-admin: owner"} {
		if !strings.Contains(unread, want) {
			t.Errorf("no %q in %s", want, unread)
		}
	}
	if len(s.Lines) != 0 || readAccount(hosttest.New(t, nil), "admin").Sudoers.There {
		t.Errorf("%+v", s)
	}
}

func TestAuthorizedKeys(t *testing.T) {
	good := testKey("ssh-ed25519")
	for line, want := range map[string]string{
		good:                                    "ssh-ed25519",
		testKey("ecdsa-sha2-nistp256") + " c d": "ecdsa-sha2-nistp256",
		"\t " + good:                            "ssh-ed25519",
		`command="echo \"Please log in as ubuntu\", then go",no-pty ` + good: "ssh-ed25519 command no-pty",
		`from="10.0.0.0/8,!10.1.1.1",Restrict ` + good:                       "ssh-ed25519 from restrict",
		"cert-authority " + good:                                             "ssh-ed25519 cert-authority",
		testKey("ssh-dss"):                                                   "odd",
		"ssh-rsa " + strings.Fields(good)[1]:                                 "odd",
		good[:len(good)-20]:                                                  "odd",
		"ssh-ed25519":                                                        "odd",
		"ecdsa-sha2-nistp256 " + strings.Fields(testKey("ecdsa-sha2-nistp384"))[1]: "odd",
		"ssh-ed25519 !!!":                     "odd",
		`command="x` + good:                   "odd",
		"# " + good:                           "",
		"":                                    "",
		"-----BEGIN OPENSSH PRIVATE KEY-----": "odd",
	} {
		keys, odd := authorizedKeys(line + "\n")
		got := strings.Repeat("odd", odd)
		for _, k := range keys {
			got += strings.Join(append([]string{k.Type}, k.Options...), " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestShadowOf(t *testing.T) {
	for field, want := range map[string]PasswordKind{
		"": PasswordEmpty, "!": PasswordLocked, "!!": PasswordLocked, "!$6$x$y": PasswordLocked, "!*": PasswordLocked,
		"*": PasswordNone, "*LK*": PasswordNone, "x": PasswordNone, "$y$j9T$a": PasswordSet, "rqXexS6ZhobKA": PasswordSet,
	} {
		if got := shadowOf("a:"+field+":0::9::1:-1:\n", "a"); got != (Shadow{There: true, Password: want, Most: 9, Inactive: 1, Expires: -1}) {
			t.Errorf("%q: %+v", field, got)
		}
	}
	if shadowOf("a\n:x:\n", "a").There || shadowOf(":x:\n", "").There {
		t.Error("found where nothing is")
	}
}

func TestAccounts(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/passwd": "root:x:0:0::/root:/bin/sh\n+nis::::::\n#old:x:1:1:::\nhalf:x:1\nadmin:x:1000:1000::/:/bin/sh\nadmin:x:0:0::/:/bin/sh\n",
	})
	got := (&looker{h: m.Host()}).accounts()
	if !slices.Equal(got.Users, []LocalUser{{"admin", 1000}, {"root", 0}}) || got.Unread != "" || got.UsersRule != "" {
		t.Errorf("%+v", got)
	}
	for text, named := range map[string]bool{
		"DenyGroups users\n": true, "denygroups=a,users\n": true, "DenyGroups *s\n": true, "Match Group users,b\n": true, "@users - maxlogins 0\n": true,
		"-:(users):ALL\n": true, "auth required pam_succeed_if.so user notingroup users\n": true,
		"# DenyGroups users\n": false, "AllowUsers users2\n": false, "AllowUsers a*\n": false, "": false,
	} {
		m.Put("/etc/ssh/sshd_config", text, 0o644)
		if rule := (&looker{h: m.Host()}).accounts().UsersRule; (rule == sshdConfig) != named {
			t.Errorf("%q: %q", text, rule)
		}
	}
	m.Put("/etc/passwd", "-> passwd", 0)
	if got := (&looker{h: m.Host()}).accounts(); got.Unread == "" || got.Users != nil {
		t.Errorf("%+v", got)
	}
}

func FuzzAuthorizedKeys(f *testing.F) {
	f.Add(`command="a,b \"c\"",from=x ` + testKey("ssh-ed25519") + " me\n#\n\nodd\n")
	f.Fuzz(func(t *testing.T, text string) {
		keys, odd := authorizedKeys(text)
		if len(keys)+odd > strings.Count(text, "\n")+1 {
			t.Fatalf("%d keys and %d odd lines of %q", len(keys), odd, text)
		}
		for _, k := range keys {
			if !slices.Contains(keyTypes, k.Type) || slices.ContainsFunc(k.Options, func(o string) bool { return strings.ContainsAny(o, `=,`) }) {
				t.Fatalf("%+v of %q", k, text)
			}
		}
		shadowOf(text, "a")
		localUsers(text)
		namesGroup(text, UsersGroup)
	})
}

func FuzzJoinSudoers(f *testing.F) {
	f.Add("a ALL=(ALL) \\\n ALL # x\\\n@include x\n#includedir\t\"/a b\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for i, l := range joinSudoers("/etc/sudoers", text) {
			if l.Text == "" || strings.ContainsRune(l.Text, '\n') || l.Line < i+1 {
				t.Fatalf("%+v of %q", l, text)
			}
			includes(l.Text)
		}
	})
}
