package facts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// Login is what a login passes through on this machine: the text of the files,
// and what runs. It is read on request alone, as a pass does without it, and
// holds no password: each is masked as it is read.
type Login struct {
	Files   map[string]string `json:"files"`  // by absolute path; what is not there is absent
	Sshd    string            `json:"sshd"`   // what `sshd -T` prints, or as much of it as its files tell; "" where neither does
	Mounts  string            `json:"mounts"` // /proc/self/mounts
	Running LoginRunning      `json:"running"`
	Notes   []string          `json:"notes"` // what could not be read, and what stands in for it
}

// LoginRunning says which of the programs that a login waits for run. Under
// another root, where nothing does, they are those that are installed.
type LoginRunning struct {
	Nslcd     bool `json:"nslcd"`
	SSSD      bool `json:"sssd"`
	Nscd      bool `json:"nscd"`
	Resolved  bool `json:"resolved"`
	Automount bool `json:"automount"` // autofs's daemon
	PADL      bool `json:"padl"`      // PADL's modules, which run inside of who asks
}

// The files that a login passes through, and how many of them, and of what
// size, are read. What is larger or more is no file that a login should read.
const (
	maxLoginFile  = 256 << 10 // bytes
	maxLoginTotal = 4 << 20
	maxLoginMany  = 200 // files that one pattern matches
)

var loginFiles = []string{
	"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts", "/etc/hostname",
	"/etc/passwd", "/etc/group", "/etc/nslcd.conf", "/etc/sssd/sssd.conf", "/etc/sssd/conf.d/*.conf",
	"/etc/libnss-ldap.conf", "/etc/pam_ldap.conf", "/etc/ldap.conf", "/etc/nscd.conf",
	"/etc/autofs.conf", "/etc/default/autofs", "/etc/auto.*", "/etc/auto.master.d/*.autofs",
	"/etc/security/access.conf", sshdConfig, sshdConfig + ".d/*.conf", "/etc/pam.d/*", "/usr/lib/pam.d/*", motdScripts + "*",
}

const motdScripts = "/etc/update-motd.d/"

// ReadLogin reads it. It starts nothing, and nothing in it waits for long: what
// does not answer within a few seconds is a note.
func ReadLogin(ctx context.Context, h *host.Host) Login {
	r := &loginReader{looker: looker{h: h}, files: map[string]string{}}
	for _, pattern := range loginFiles {
		r.all(pattern)
	}
	r.maps()
	l := Login{Files: r.files, Running: r.running(ctx)}
	l.Sshd = r.sshd(ctx)
	if h.Live() {
		mounts, _ := r.text("/proc/self/mounts")
		l.Mounts = mask(mounts)
	} else {
		r.note("a machine that lies in a folder: what is installed counts as running, and nothing as mounted")
	}
	for _, p := range r.problems {
		r.note("%s", p)
	}
	l.Notes = append([]string{}, r.notes...)
	return l
}

// loginReader is a looker that keeps what it reads.
type loginReader struct {
	looker
	files map[string]string
	notes []string
	total int
}

func (r *loginReader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// all reads the files that a pattern matches.
func (r *loginReader) all(pattern string) {
	paths := []string{pattern}
	if strings.Contains(pattern, "*") {
		paths = r.glob(pattern)
	}
	if len(paths) > maxLoginMany {
		r.note("%s: %d files, of which the first %d are read", pattern, len(paths), maxLoginMany)
		paths = paths[:maxLoginMany]
	}
	for _, p := range paths {
		r.one(p)
	}
}

// one reads a file. What is no regular file is none of a login's.
func (r *loginReader) one(path string) {
	if _, done := r.files[path]; done {
		return
	}
	i, err := r.h.Stat(path)
	if err != nil {
		r.fail(path, err)
	}
	if err != nil || !i.Mode.IsRegular() || !i.Exists {
		return
	}
	if i.Size > maxLoginFile || r.total+int(i.Size) > maxLoginTotal {
		r.note("%s: %d bytes are more than is read: not counted", path, i.Size)
		return
	}
	text, ok := r.text(path)
	if !ok {
		return
	}
	r.total += len(text)
	switch {
	case strings.HasPrefix(path, motdScripts):
		text = programs(text)
	case strings.HasPrefix(text, "#!"):
		text = "" // a map that is a program: what it would say is not known, and it may hold a password
	case path == "/etc/passwd" || path == "/etc/group":
		text = maskHashes(text)
	default:
		text = mask(text)
	}
	r.files[path] = text
}

// maps reads the maps that autofs's master maps name, wherever they lie.
func (r *loginReader) maps() {
	for _, path := range slices.Sorted(maps.Keys(r.files)) {
		if path != "/etc/auto.master" && !strings.HasPrefix(path, "/etc/auto.master.d/") {
			continue
		}
		for line := range strings.Lines(r.files[path]) {
			f := strings.Fields(line)
			if len(f) < 2 || !strings.HasPrefix(f[0], "/") {
				continue
			}
			name := strings.TrimPrefix(f[1], "file:")
			if strings.Contains(name, ":") || strings.HasPrefix(name, "-") {
				continue
			}
			if !strings.HasPrefix(name, "/") {
				name = "/etc/" + name
			}
			r.one(name)
		}
	}
}
