package logins

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHomePath(t *testing.T) {
	nfs := "nas:/home /home nfs4 rw,hard 0 0\n"
	keysElsewhere := "authorizedkeysfile /etc/ssh/keys/%u\n"
	for name, tt := range map[string]struct {
		mounts, sshd, master, home string
		before, after              Bound
	}{
		"local":                       {"/dev/sda1 / ext4 rw 0 0\n", "", "", "", Bound{}, Bound{}},
		"hard, with the keys":         {nfs, "", "", "", forEver, Bound{}},
		"hard, keys elsewhere":        {nfs, keysElsewhere, "", "", Bound{}, forEver},
		"hard, a command brings keys": {nfs, "authorizedkeyscommand /opt/aws/bin/eic_run_authorized_keys\n", "", "", Bound{10 * time.Second, true}, forEver},
		// What sshd itself waits for is held back for as long again. Two files, one after the other; timeo 1 s, then 2 s, before each is given up.
		"soft":                 {"nas:/home /home nfs rw,vers=3,soft,timeo=10,retrans=1 0 0\n", "", "", "", secs(2 * 3), Bound{}},
		"soft, keys elsewhere": {"nas:/home /home nfs rw,vers=3,soft,timeo=10,retrans=1 0 0\n", keysElsewhere, "", "", Bound{}, secs(5 * 3)},
		// Measured 92 s for the first file of NFS 4 and 8 s for the next, with timeo 2 s.
		"soft, NFS 4":                 {"nas:/home /home nfs4 rw,vers=4.2,soft,timeo=20,retrans=1 0 0\n", "", "", "", secs(105 + 2*2*6), Bound{}},
		"soft, NFS 4, no repetition":  {"nas:/home /home nfs4 rw,vers=4.2,soft,timeo=10,retrans=0 0 0\n", "", "", "", secs(105 + 2*2*1), Bound{}},
		"soft, NFS 4, keys elsewhere": {"nas:/home /home nfs4 rw,vers=4.2,soft,timeo=20,retrans=1 0 0\n", keysElsewhere, "", "", Bound{}, secs(105 + 5*2*6)},
		"soft, of no version":         {"nas:/home /home nfs rw,soft,timeo=10,retrans=0 0 0\n", "", "", "", secs(105 + 2*2*1), Bound{}},
		"systemd's automount":         {"systemd-1 /home autofs rw 0 0\n", "", "", "", secs(90), Bound{}},
		"autofs":                      {"", "", "/home auto.home\n", "* nas:/home/&\n", forEver, Bound{}},
		// Of a home that is yet to be mounted and one that is, the longer; mount_wait bounds the first alone.
		"autofs, soft":             {"", "", "/home auto.home -soft,timeo=10,retrans=0,retry=0\n", "* nas:/home/&\n", secs(105 + 2*2*1), Bound{}},
		"autofs, soft by default":  {"", "", "/home auto.home -soft\n", "* nas:/home/&\n", secs(105 + 2*2*(60+120+180)), Bound{}},
		"autofs, soft, bounded":    {"", "mount_wait", "/home auto.home -soft,timeo=10,retrans=0\n", "* nas:/home/&\n", secs(105 + 2*2*1), Bound{}},
		"autofs, NFS 3":            {"", "", "/home auto.home -soft,vers=3,timeo=10,retrans=0,retry=0\n", "* nas:/home/&\n", secs(2 * 1), Bound{}},
		"autofs, NFS 3, retried":   {"", "", "/home auto.home -soft,vers=3,timeo=10,retrans=0\n", "* nas:/home/&\n", secs(2*60 + 1), Bound{}},
		"autofs, NFS 3, bounded":   {"", "mount_wait", "/home auto.home -soft,vers=3,timeo=10,retrans=0\n", "* nas:/home/&\n", secs(7), Bound{}},
		"autofs, hard, bounded":    {"", "mount_wait", "/home auto.home\n", "* nas:/home/&\n", forEver, Bound{}},
		"autofs, a local disk":     {"", "", "/home auto.home\n", "* -fstype=ext4 :/dev/sdb1\n", Bound{}, Bound{}},
		"autofs, a map elsewhere":  {"", "", "/home ldap:ou=auto.home\n", "", forEver, Bound{}},
		"autofs, of another place": {"", "", "/net -hosts\n", "", Bound{}, Bound{}},
		"autofs without its map":   {"auto.home /home autofs rw 0 0\n", "", "", "", forEver, Bound{}},
		"already mounted below":    {"auto.home /home autofs rw 0 0\nnas:/a /home/admin nfs4 soft,timeo=10,retrans=0 0 0\n", "", "", "", secs(105 + 2*2*1), Bound{}},
	} {
		l := quick(map[string]string{"/etc/auto.master": tt.master, "/etc/auto.home": tt.home})
		l.Mounts, l.Running.Automount, l.Sshd = tt.mounts, true, tt.sshd
		if tt.sshd == "mount_wait" {
			l.Files["/etc/autofs.conf"], l.Sshd = "[autofs]\nmount_wait = 7\n", ""
		}
		b := BudgetOf(l)
		c := b.Case(BreakGlassUser, AllDown)
		if want := tt.before.Times(2).Plus(Bound{Most: LoginWork}); c.Before != want || c.After != tt.after {
			t.Errorf("%s: %s, %s; want %s, %s", name, c.Before, c.After, want, tt.after)
		}
		if c := b.Case(BreakGlassUser, OneDown); c.Before.Unbounded && len(l.Sshd) == 0 {
			t.Errorf("%s: one directory server down is no file server", name)
		}
	}
}

// A term says which of both its wait is, what it is made of, and what is shorter.
func TestHomeTerm(t *testing.T) {
	for name, tt := range map[string]struct {
		mounts, options string // of a mount that is there, or of autofs
		limit, remedy   string
	}{
		"mounted, NFS 4": {"nas:/home /home nfs4 soft,timeo=20,retrans=1 0 0\n", "",
			"NFS 4, soft, timeo=20, retrans=1: 105s once, whatever these say (the server's lease, 90 s by default), and 12s for each of 2 files; twice", "or vers=3,"},
		"mounted, NFS 3": {"nas:/home /home nfs vers=3,soft,timeo=20,retrans=1 0 0\n", "", "NFS 3, soft, timeo=20, retrans=1: 6s for each of 2 files; twice", ""},
		"autofs, NFS 4":  {"", "soft,timeo=20,retrans=1,retry=0", "12s for each of 2 files, mounted when its server goes; 6s, yet to be mounted, by soft, timeo=20, retrans=1, retry=0 min; mount_wait", "or vers=3,"},
		"autofs, NFS 3, retried": {"", "fstype=nfs,vers=3,soft,timeo=20,retrans=1,retry=1",
			"yet to be mounted; 12s, mounted when its server goes, by NFS 3, soft, timeo=20, retrans=1: 6s for each of 2 files; twice", ""},
		"autofs, hard": {"", "hard", "a hard mount, and mount_wait -1 (default) in /etc/autofs.conf, which does not bound one that is mounted when its server goes", ""},
	} {
		l := quick(map[string]string{"/etc/auto.master": "/home auto.home -" + tt.options + "\n", "/etc/auto.home": "* nas:/home/&\n"})
		l.Mounts, l.Running.Automount = tt.mounts, true
		terms := slices.DeleteFunc(BudgetOf(l).Case(BreakGlassUser, AllDown).Terms, func(t Term) bool { return t.Of != OfHome })
		if len(terms) != 1 || !strings.Contains(terms[0].Limit, tt.limit) || strings.Contains(terms[0].Remedy, "vers=3") != (tt.remedy != "") || !strings.Contains(terms[0].Remedy, tt.remedy) {
			t.Errorf("%s: %+v", name, terms)
		}
	}
}
