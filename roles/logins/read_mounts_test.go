package logins

import (
	"strings"
	"testing"
)

func TestParseMounts(t *testing.T) {
	mounts, notes := parseMounts("/dev/nvme0n1p1 / ext4 rw 0 0\nnas:/home /home nfs4 rw,soft,timeo=50,retrans=1,hard,soft 0 0\n" +
		"systemd-1 /mnt/a\\040b autofs rw 0 0\nbroken\n")
	if len(mounts) != 3 || len(notes) != 1 || mounts[2].path != "/mnt/a b" {
		t.Fatalf("%+v, notes %q", mounts, notes)
	}
	if m, ok := mountOf(mounts, "/home/ann"); !ok || !m.network() || m.at.Line != 2 {
		t.Errorf("%+v", m)
	}
	if m, _ := mountOf(mounts, "/homework"); m.path != "/" {
		t.Errorf("/homework is not below /home: %+v", m)
	}
	o := parseNFSOptions(mounts[1].options)
	if !o.soft || o.timeo != 50 || o.retrans != 1 || o.retry != 2 {
		t.Errorf("%+v", o)
	}
	if o := parseNFSOptions([]string{"soft", "hard", "timeo=x", "retry=-1"}); o.soft || o.timeo != 1 || o.retry != 0 {
		t.Errorf("%+v", o)
	}
	for options, older := range map[string]bool{
		"rw": false, "nfs": false, "nfs4": false, "nfs,vers=3": true, "nfsvers=3": true, "v3": true, "vers=2": true, "vers=4.2": false, "v4.1": false,
		"vers=3,nfsvers=4": false, "v4,vers=3": true, "vers=x": false, "rsize=3": false, "mountvers=3": false,
	} {
		if o := parseNFSOptions(strings.Split(options, ",")); o.older != older {
			t.Errorf("%s: older is %t", options, o.older)
		}
	}
}

func TestParseAutofs(t *testing.T) {
	files := map[string]string{
		"/etc/auto.master": "# comment\n/home /etc/auto.home --timeout=5 -soft,timeo=10 # idle\n/- auto.direct\n/misc \\\n  file:/etc/auto.misc\n+auto.master\n+dir:/etc/auto.master.d\n",
		"/etc/auto.home":   "ann nas2:/home/ann\n* -fstype=nfs4,retrans=1 nas:/home/&\n",
		"/etc/auto.direct": "/opt/tools -ro nas:/tools\n",
		"/etc/auto.misc":   "cd -fstype=iso9660,ro :/dev/cdrom\n",
		"/etc/autofs.conf": "[ autofs ]\nmount_wait = 7\n",
	}
	a := parseAutofs(files)
	if len(a.points) != 3 || a.wait.n != 7 || a.wait.at.Line != 2 || len(a.notes) != 1 {
		t.Fatalf("%+v", a)
	}
	for file, want := range map[string]struct {
		point, options string
		nfs            bool
	}{
		"/home/ann/x":     {"/home", "soft timeo=10", true},
		"/home/bob":       {"/home", "soft timeo=10 nfs4 retrans=1", true},
		"/opt/tools/bash": {"/-", "ro", true},
		"/misc/cd":        {"/misc", "iso9660 ro", false},
		"/opt":            {"", "", false},
	} {
		p, _ := a.point(file, files)
		e, _ := p.entry(file, files)
		if p.path != want.point || strings.Join(e.options, " ") != want.options || e.nfs != want.nfs {
			t.Errorf("%s: %+v, %+v", file, p, e)
		}
	}
	if w := parseAutofs(nil).wait; w.n != -1 || w.at.Line != 0 {
		t.Errorf("mount_wait by default: %+v", w)
	}
	if w := parseAutofs(map[string]string{"/etc/default/autofs": "MOUNT_WAIT='9'\n"}).wait; w.n != 9 {
		t.Errorf("%+v", w)
	}
}
