package facts

import (
	"maps"
	"path"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// Account is what decides whether one local account gets in, and becomes root,
// while no server answers. It is read on request alone. No key and no hash is
// in it: of each only its kind.
type Account struct {
	Name    string
	Looked  bool  // the machine itself was looked at; of facts that are replayed there is Login alone
	Login   Login // the name service, PAM, sshd's settings, the mounts
	Today   int   // days since 1970
	Shadow  Shadow
	NoLogin bool     // there is an /etc/nologin
	Fstab   string   // /etc/fstab, without passwords: what it mounts may come after a boot's pass
	Shells  []string // /etc/shells; nil where there is no such file
	Shell   Way
	Home    Way
	Keys    []KeyFile // in the order in which sshd reads them
	Sudoers Sudoers
}

// Way is a path as the kernel walks it, links followed, one step a component.
// What lies on a file system that another machine serves is not looked at:
// whoever looks would wait for it.
type Way struct {
	Path    string
	Steps   []WayStep // the root first, no links; where Missing is "", the last is the path's own
	Missing string    // the first part that is not there
	Remote  string    // the mount that it leads onto, in words
	Unread  string    // why it could not be walked to its end
}

// WayStep is a folder or a file on a way.
type WayStep struct {
	Path string
	host.Info
}

// End is what the path leads to, the zero value where it leads nowhere.
func (w Way) End() WayStep {
	if w.Missing+w.Remote+w.Unread != "" || len(w.Steps) == 0 {
		return WayStep{}
	}
	return w.Steps[len(w.Steps)-1]
}

// ReadAccount reads it. It runs nothing, asks nobody, and touches nothing that
// lies on another machine. l is what was read of the machine's logins; its
// mounts are added where they are not in it.
func ReadAccount(h *host.Host, l Login, name string, now time.Time) Account {
	r := &accountReader{loginReader: loginReader{looker: looker{h: h}}}
	if l.Mounts == "" && h.Live() {
		text, _ := r.text("/proc/self/mounts")
		l.Mounts = mask(text)
	}
	r.mounts = mountPoints(l.Mounts)
	if !l.Running.Automount && r.exists(autofsEnabled) {
		l = r.automounts(l)
	}
	a := Account{Name: name, Looked: true, Login: l, Today: int(now.Unix() / (24 * 60 * 60))}
	a.Shells = r.shells()
	a.Shadow = r.shadow(name)
	a.NoLogin = r.exists("/etc/nologin")
	fstab, _ := r.text("/etc/fstab")
	a.Fstab = mask(fstab)
	if entry := passwdFields(l.Files["/etc/passwd"], name); entry != nil {
		shell := entry[6]
		if shell == "" {
			shell = "/bin/sh" // sshd's own default
		}
		a.Home, a.Shell = r.walk(entry[5]), r.walk(shell)
		a.Keys = r.keys(l.Sshd, entry)
	}
	a.Sudoers = r.sudoers(l.Files["/etc/hostname"])
	return a
}

// autofsEnabled is by what systemd starts autofs at a boot.
const autofsEnabled = "/etc/systemd/system/multi-user.target.wants/autofs.service"

// automounts adds autofs's maps, and counts it as running: a boot's pass comes
// before it, and the account's home may lie below what it is about to mount.
func (r *accountReader) automounts(l Login) Login {
	r.files = maps.Clone(l.Files)
	for _, pattern := range []string{"/etc/autofs.conf", "/etc/default/autofs", "/etc/auto.*", "/etc/auto.master.d/*.autofs"} {
		r.all(pattern)
	}
	r.maps()
	l.Files, l.Running.Automount = r.files, true
	return l
}

// accountReader is a looker that knows where other machines' files begin.
type accountReader struct {
	loginReader
	mounts []mountPoint
}

// shells is /etc/shells.
func (r *accountReader) shells() []string {
	text, there := r.text("/etc/shells")
	if !there {
		return nil
	}
	out := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// passwdFields is a user's seven; nil where there is no such line.
func passwdFields(passwd, name string) []string {
	for line := range strings.Lines(passwd) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 7 && f[0] == name {
			return f
		}
	}
	return nil
}

// walk follows a path by single steps, and looks before each whether it leads
// onto what another machine serves.
func (r *accountReader) walk(p string) Way {
	w := Way{Path: p}
	if !strings.HasPrefix(p, "/") {
		w.Unread = "it is no absolute path"
		return w
	}
	walk := r.h.Walk(path.Clean(p))
	for next := walk.Next(); next != ""; next = walk.Next() {
		if m := mountOf(r.mounts, next); m.path != "" && !localKinds[m.kind] {
			w.Remote = m.kind + " on " + m.path
			return w
		}
		i, err := walk.Look()
		switch {
		case err != nil:
			w.Unread = err.Error()
			return w
		case !i.Exists:
			w.Missing = next
			return w
		case i.Link != "":
			continue
		}
		if !r.h.Owners() { // a folder of somebody's who is not root: he owns all of it
			i.UID, i.GID = 0, 0
		}
		w.Steps = append(w.above(next), WayStep{next, i})
	}
	return w
}

// above is the steps that lead to a place: a link, or a "..", may have left
// those after them.
func (w Way) above(p string) []WayStep {
	if p == "/" {
		return nil
	}
	return w.Steps[:strings.Count(p, "/")]
}

// mountPoint is where a file system begins.
type mountPoint struct{ path, kind string }

// localKinds are the file systems that are this machine's own. Of any other it
// is not known who answers.
var localKinds = map[string]bool{
	"ext2": true, "ext3": true, "ext4": true, "xfs": true, "btrfs": true, "zfs": true, "f2fs": true, "jfs": true,
	"bcachefs": true, "reiserfs": true, "overlay": true, "tmpfs": true, "ramfs": true, "rootfs": true, "squashfs": true,
	"erofs": true, "iso9660": true, "vfat": true, "devtmpfs": true, "proc": true, "sysfs": true,
}

func mountPoints(mounts string) []mountPoint {
	var out []mountPoint
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 2 {
			out = append(out, mountPoint{block.Unescape(f[1]), f[2]})
		}
	}
	return out
}

// mountOf is the mount that a path lies on: the longest, of equals the last.
func mountOf(all []mountPoint, p string) mountPoint {
	var best mountPoint
	for _, m := range all {
		covers := m.path == "/" || p == m.path || strings.HasPrefix(p, m.path+"/")
		if covers && len(m.path) >= len(best.path) {
			best = m
		}
	}
	return best
}
