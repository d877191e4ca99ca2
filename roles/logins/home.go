package logins

import "fmt"

// How many files of a home a login opens, one after the other, each of which
// waits anew where the mount gives up at all.
const (
	homeFilesBefore = 2 // authorized_keys, authorized_keys2
	homeFilesAfter  = 5 // the folder itself, .hushlogin, .profile, .bashrc, .bash_history
)

// systemdMount is systemd's own limit for a mount unit (DefaultTimeoutStartSec).
const systemdMount = 90

// homeBlocks says whether the home waits at all, so that it is counted once:
// where sshd could not read the keys, no shell follows.
func (m *loginMachine) homeBlocks(p person) bool {
	return len(m.remote(p, p.home, "", 1)) > 0
}

func (m *loginMachine) home(p person, what string, files int) []request {
	return m.remote(p, p.home, what+" "+p.home, files)
}

// shell is the login shell: sshd looks whether it can be run before it lets
// anybody in.
func (m *loginMachine) shell(p person) []request {
	if p.shell == "" {
		return nil
	}
	return m.remote(p, p.shell, "sshd looks whether the shell can be run, "+p.shell, 1)
}

// remote is the wait for a path whose file server is dead: on a mount, below
// an automount, or neither. A server of files is no server of the lists that
// one of may be down.
func (m *loginMachine) remote(p person, file, what string, files int) []request {
	if p.servers == AllUp || p.servers == OneDown || file == "" {
		return nil
	}
	on, mounted := mountOf(m.mounts, file)
	switch {
	case mounted && on.kind == "autofs" && on.source == "systemd-1":
		return []request{{
			of: OfHome, what: what, at: on.at, fixed: secs(systemdMount),
			limit: "systemd's DefaultTimeoutStartSec, or x-systemd.mount-timeout", remedy: moveHome(file),
		}}
	case mounted && on.network():
		return []request{m.onMount(on, what, file, files)}
	}
	point, found := m.autofs.point(file, m.Files)
	if mounted && on.kind == "autofs" && !found {
		// The daemon serves a map that is not in the files: anything may be in it.
		return []request{m.onAutomount(autoPoint{path: on.path, at: on.at}, autoEntry{nfs: true, at: on.at}, what, file, files)}
	}
	if !found || !m.Running.Automount && on.kind != "autofs" {
		return nil
	}
	entry, known := point.entry(file, m.Files)
	if known && !entry.nfs {
		return nil
	}
	if !known {
		entry.at = point.at
	}
	return []request{m.onAutomount(point, entry, what, file, files)}
}

// onMount is a network file system that is mounted. A hard one, the default,
// waits until the server is back.
func (m *loginMachine) onMount(on mount, what, file string, files int) request {
	r := request{of: OfHome, what: what, at: on.at, fixed: forEver, limit: on.kind + ", mounted hard", remedy: moveHome(file)}
	if o := parseNFSOptions(on.options); o.soft && (on.kind == "nfs" || on.kind == "nfs4") {
		r.fixed, r.limit = o.mounted(files)
		r.remedy += o.sooner()
	}
	return r
}

// onAutomount is a mount that autofs would make, or has made when the server
// goes: nobody knows which, so that the longer counts.
func (m *loginMachine) onAutomount(point autoPoint, e autoEntry, what, file string, files int) request {
	r := request{of: OfHome, what: what + ": automounted on " + point.path, at: e.at, fixed: forEver, remedy: moveHome(file)}
	if e.many {
		m.uncounted("%s: several servers: autofs asks each whether it is there before it mounts, which no setting bounds, and which is not counted", e.at)
	}
	o := parseNFSOptions(e.options)
	first, limit := m.firstMount(o)
	if !o.soft {
		r.limit = limit + ", which does not bound one that is mounted when its server goes"
		return r
	}
	mounted, by := o.mounted(files)
	if mounted.Less(first) {
		r.fixed, r.limit = first, fmt.Sprintf("%s, yet to be mounted; %s, mounted when its server goes, by %s", limit, mounted, by)
		return r
	}
	r.fixed, r.limit = mounted, fmt.Sprintf("%s, mounted when its server goes; %s, yet to be mounted, by %s", by, first, limit)
	r.remedy += o.sooner()
	return r
}

// firstMount is the wait for a mount that autofs has yet to make. It waits for
// mount(8) without end unless mount_wait is set; mount.nfs itself goes on for
// retry minutes, the last try included to its end, and only a soft mount's end.
func (m *loginMachine) firstMount(o nfsOptions) (Bound, string) {
	wait, takes := m.autofs.wait, forEver
	limit := "a hard mount, and " + wait.said("mount_wait") + " in " + autofsPath
	if o.soft {
		takes = secs(o.retry * 60).Plus(o.major())
		limit = fmt.Sprintf("soft, timeo=%d, retrans=%d, retry=%d min; %s in %s", o.timeo, o.retrans, o.retry, wait.said("mount_wait"), autofsPath)
	}
	if wait.n >= 0 {
		takes = shorter(takes, secs(wait.n))
	}
	return takes, limit
}

func moveHome(file string) string {
	return "have " + file + " on a local disk; or mount_wait and soft, short timeo, retrans and retry for others than the break-glass account"
}
