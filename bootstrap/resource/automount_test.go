package resource

import (
	"context"
	"strings"
	"testing"

	"reveille/bootstrap/host/hosttest"
)

// Over what autofs may come, and over what not: whatever the profile says, the
// machine has the last word on whose homes are where.
func TestAutomount(t *testing.T) {
	const root, admin = "root:x:0:0::/root:/bin/bash\n", "admin:x:1000:1000::/home/admin:/bin/bash\n"
	const mounts = "20 1 259:1 / / rw - ext4 /dev/root rw\n"
	for name, c := range map[string]struct {
		path  string
		files map[string]string // beside passwd, mounts and Debian's auto.master
		want  string            // of the error; "" is none
	}{
		"no such folder":         {path: "/nfs/home"},
		"an empty folder":        {path: "/nfs/home", files: map[string]string{"/nfs/home/": ""}},
		"beside the homes":       {path: "/home2"},
		"the folder of homes":    {path: "/home", want: "/home/admin is the home of the local account admin: choose another autofs.path, or move that home"},
		"a home":                 {path: "/home/admin", want: "/home/admin is the home of the local account admin"},
		"below a home":           {path: "/home/admin/nfs", want: "/home/admin is the home"},
		"root's":                 {path: "/root", want: "the local account root"},
		"a home that is nowhere": {path: "/nonexistent", files: map[string]string{"/etc/passwd": root + "_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\n"}},
		"no shell is a shell":    {path: "/srv", files: map[string]string{"/etc/passwd": "a:x:1:1::/srv/a:\n"}, want: "account a"},
		"all moved away":         {path: "/home", files: map[string]string{"/etc/passwd": root + "admin:x:1000:1000::/var/admin:/bin/sh\n", "/home/": ""}},
		"it holds something":     {path: "/nfs/home", files: map[string]string{"/nfs/home/joe/x": "y"}, want: "it holds joe, which would be hidden: move it away"},
		"a link":                 {path: "/nfs/home", files: map[string]string{"/nfs/home": "-> /srv"}, want: "it is a link to /srv"},
		"a file":                 {path: "/nfs/home", files: map[string]string{"/nfs/home": "x"}, want: "it is no folder"},
		"autofs has it":          {path: "/nfs/home", files: map[string]string{"/nfs/home/joe/x": "y", "/proc/self/mountinfo": mounts + "30 20 0:40 / /nfs/home rw - autofs /etc/auto.reveille-home rw\n"}},
		"another file system":    {path: "/nfs/home", files: map[string]string{"/proc/self/mountinfo": mounts + "30 20 0:40 / /nfs/home rw - nfs4 nas:/home rw\n"}, want: "nfs4 is mounted there: umount /nfs/home"},
		"on a file server":       {path: "/nfs/home", files: map[string]string{"/proc/self/mountinfo": mounts + "30 20 0:40 / /nfs rw - nfs4 nas:/ rw\n"}, want: "it lies on /nfs, which is nfs4 already"},
		"on another disk":        {path: "/nfs/home", files: map[string]string{"/proc/self/mountinfo": mounts + "30 20 0:40 / /nfs rw - ext4 /dev/sdb rw\n"}},
		"not of this machine":    {path: "/nfs/home", files: map[string]string{"/etc/auto.master": "-"}},
		"a master of its own":    {path: "/nfs/home", files: map[string]string{"/etc/auto.master": "# +dir:/etc/auto.master.d\n+auto.master\n"}, want: "/etc/auto.master has no line +dir:/etc/auto.master.d, so that /etc/auto.master.d/reveille.autofs would not be read"},
		"a master that has it":   {path: "/nfs/home", files: map[string]string{"/etc/auto.master": "/nfs/home/\tldap:x\n+dir:/etc/auto.master.d\n"}, want: "/etc/auto.master has a map for it already"},
		"another map has it":     {path: "/nfs/home", files: map[string]string{"/etc/auto.master.d/a.autofs": "/nfs/home /etc/auto.a\n"}, want: "/etc/auto.master.d/a.autofs has a map for it already"},
		"ours has it":            {path: "/nfs/home", files: map[string]string{"/etc/auto.master.d/reveille.autofs": "/nfs/home /etc/auto.reveille-home\n"}},
		"no passwd":              {path: "/nfs/home", files: map[string]string{"/etc/passwd": "-"}, want: "whose homes are here"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"/etc/passwd": root + admin, "/proc/self/mountinfo": mounts, "/etc/auto.master": "#\n+dir:/etc/auto.master.d\n+auto.master\n"}
			for path, text := range c.files {
				if files[path] = text; text == "-" {
					delete(files, path)
				}
			}
			m := hosttest.New(t, files)
			changes, err := Automount{Path: c.path, Map: "/etc/auto.master.d/reveille.autofs"}.Check(context.Background(), m.Host())
			if len(changes) > 0 || m.Writes() > 0 {
				t.Errorf("it would change %v, and has written %v", changes, m.Effects())
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
