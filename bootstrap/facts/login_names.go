package facts

import (
	"strings"

	"reveille/bootstrap/host"
)

// The files that decide what a name service costs a login, but for its clients'
// and sshd's.
var nameFiles = []string{
	"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts", "/etc/hostname",
	"/etc/passwd", "/etc/group", "/etc/security/access.conf",
}

// ReadLoginNames is as much of ReadLogin as the files of a name service can
// make better or worse. A pass reads it before it changes such a file, and is
// waited for: so no program is run and nobody asked, sshd's settings are those
// of its files, and a client that is installed and has been told of a server
// counts as running, whether or not it has been started yet. Homes, mounts and scripts are left out.
func ReadLoginNames(h *host.Host, has Has) Login {
	r := &loginReader{looker: looker{h: h}, files: map[string]string{}}
	l := r.clients(has)
	for _, pattern := range nameFiles {
		r.all(pattern)
	}
	service, ok := sshdValue(l.Sshd, "pamservicename")
	if !ok {
		service = "sshd"
	}
	for _, s := range []string{service, "systemd-user", "other"} {
		r.stack(s)
	}
	for _, p := range r.problems {
		r.note("%s", p)
	}
	l.Notes = append([]string{}, r.notes...)
	return l
}

// LoginResolves says whether a login on this machine may wait for a name
// server: sshd looks for the client's name, or a directory client has been told
// of a server. Where neither is so, no resolv.conf makes a login longer. What
// cannot be read may.
func LoginResolves(h *host.Host, has Has) bool {
	r := &loginReader{looker: looker{h: h}, files: map[string]string{}}
	l := r.clients(has)
	dns, said := sshdValue(l.Sshd, "usedns")
	return said && dns != "no" || l.Running.Nslcd || l.Running.SSSD || l.Running.PADL || len(r.problems)+len(r.notes) > 0
}

// clients reads what sshd and the directory's clients have been told.
func (r *loginReader) clients(has Has) Login {
	for _, from := range []struct {
		here  bool
		files []string
	}{
		{true, []string{sshdConfig, sshdConfig + ".d/*.conf"}},
		{has.Nslcd, []string{"/etc/nslcd.conf"}},
		{has.SSSD, []string{"/etc/sssd/sssd.conf", "/etc/sssd/conf.d/*.conf"}},
		{has.NSSLDAP, []string{"/etc/libnss-ldap.conf", "/etc/pam_ldap.conf", "/etc/ldap.conf"}},
		{has.Nscd, []string{"/etc/nscd.conf"}},
	} {
		for _, pattern := range from.files {
			if from.here {
				r.all(pattern)
			}
		}
	}
	l := Login{Files: r.files, Sshd: sshdSettings(r.files)}
	l.Running = LoginRunning{Nscd: has.Nscd, Resolved: r.exists(resolvedProgram)}
	for path, text := range r.files {
		switch {
		case path == "/etc/nslcd.conf":
			l.Running.Nslcd = asksNetwork(text)
		case strings.HasPrefix(path, "/etc/sssd/"):
			l.Running.SSSD = true
		case path == "/etc/libnss-ldap.conf", path == "/etc/pam_ldap.conf", path == "/etc/ldap.conf":
			l.Running.PADL = asksNetwork(text) || l.Running.PADL
		}
	}
	return l
}

// asksNetwork says whether a client's file names a server that is not this
// machine: packages leave ldap://localhost/, which refuses at once.
func asksNetwork(text string) bool {
	for line := range strings.Lines(text) {
		f := strings.Fields(strings.ToLower(line))
		if len(f) < 2 || f[0] != "uri" && f[0] != "host" {
			continue
		}
		for _, server := range f[1:] {
			_, host, _ := strings.Cut(server, "://")
			if host == "" {
				host = server
			}
			if !strings.HasPrefix(host, "localhost") && !strings.HasPrefix(host, "127.") && !strings.HasPrefix(host, "[::1]") && !strings.HasPrefix(server, "ldapi:") {
				return true
			}
		}
	}
	return false
}

const pamFolder = "/etc/pam.d/"

// stack reads a file of PAM and those that it includes, each once.
func (r *loginReader) stack(name string) {
	path := pamFolder + strings.TrimPrefix(name, pamFolder)
	if _, done := r.files[path]; done || len(r.files) > maxLoginMany {
		return
	}
	r.one(path)
	for line := range strings.Lines(r.files[path]) {
		f := strings.Fields(line)
		switch {
		case len(f) > 1 && f[0] == "@include":
			r.stack(f[1])
		case len(f) > 2 && (strings.EqualFold(f[1], "include") || strings.EqualFold(f[1], "substack")):
			r.stack(f[2])
		}
	}
}
