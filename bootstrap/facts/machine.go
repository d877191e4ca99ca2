package facts

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"reveille/bootstrap/host"
)

// Where the kernel tells on what it runs.
const (
	assetTagPath = "/sys/class/dmi/id/board_asset_tag"
	bootIDPath   = "/proc/sys/kernel/random/boot_id"
)

// looker reads files of the machine. What is not there is empty; what is
// there and cannot be read is a problem, told once.
type looker struct {
	h        *host.Host
	problems []Problem
}

func (l *looker) fail(path string, err error) {
	l.problems = append(l.problems, Problem{Path: path, Reason: Unreadable, Detail: err.Error()})
}

// text is a file's content, and whether it is there and could be read.
func (l *looker) text(path string) (string, bool) {
	b, err := l.h.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		l.fail(path, err)
		return "", false
	}
	return string(b), true
}

// line is a file's content without the white space around it.
func (l *looker) line(path string) string {
	s, _ := l.text(path)
	return strings.TrimSpace(s)
}

// exists says that one of the paths, or of what the patterns match, leads
// somewhere.
func (l *looker) exists(patterns ...string) bool {
	for _, p := range patterns {
		found := []string{p}
		if strings.Contains(p, "*") {
			found = l.glob(p)
		}
		for _, p := range found {
			i, err := l.h.Stat(p)
			if err != nil {
				l.fail(p, err)
			}
			if i.Exists {
				return true
			}
		}
	}
	return false
}

func (l *looker) glob(pattern string) []string {
	found, err := l.h.Glob(pattern)
	if err != nil {
		l.fail(pattern, err)
	}
	return found
}

// readMachine reads what the files below the root tell.
func readMachine(h *host.Host, now time.Time) (Machine, []Problem) {
	l := &looker{h: h}
	m := Machine{
		OS:         l.os(),
		BootID:     l.line(bootIDPath),
		Hostname:   l.hostname(),
		CloudInit:  l.exists("/usr/bin/cloud-init"),
		SELinux:    l.selinux(),
		Authselect: l.exists("/etc/authselect/authselect.conf"),
		Resolv:     l.resolv(),
		Has:        l.has(),
		Brake:      l.brake(now),
		Accounts:   l.accounts(),
	}
	m.DMI, m.EC2 = l.hardware()
	m.Owned, m.Owner = l.owned()
	return m, l.problems
}

// hardware is the instance id that Nitro puts into DMI, and whether this is
// EC2 at all.
func (l *looker) hardware() (id string, ec2 bool) {
	if tag, err := instanceID(l.line(assetTagPath)); err == nil {
		return tag, true
	}
	if strings.HasPrefix(l.line("/sys/class/dmi/id/sys_vendor"), "Amazon EC2") {
		return "", true
	}
	// Xen has no such names; both kinds have a uuid that begins with ec2.
	// DMI's is for root alone, so it is asked last.
	for _, p := range []string{"/sys/hypervisor/uuid", "/sys/class/dmi/id/product_uuid"} {
		if strings.HasPrefix(strings.ToLower(l.line(p)), "ec2") {
			return "", true
		}
	}
	return "", false
}

func (l *looker) hostname() string {
	if l.h.Live() {
		n, err := l.h.Hostname()
		if err == nil {
			return n
		}
		l.fail("/proc/sys/kernel/hostname", fmt.Errorf("ask the kernel for the host name: %w", err))
	}
	for line := range strings.Lines(l.line("/etc/hostname")) {
		if n := strings.TrimSpace(line); n != "" && !strings.HasPrefix(n, "#") {
			return n
		}
	}
	return ""
}

// selinux is the kernel's word. A machine that lies in a folder has no kernel
// of its own, so its configuration says what its next boot will do.
func (l *looker) selinux() bool {
	if l.exists("/sys/fs/selinux/enforce") {
		return true
	}
	if l.h.Root() == "/" {
		return false
	}
	mode := l.settings("/etc/selinux/config")["SELINUX"]
	return mode == "enforcing" || mode == "permissive"
}

func (l *looker) os() OS {
	s := l.settings("/etc/os-release")
	if len(s) == 0 {
		s = l.settings("/usr/lib/os-release")
	}
	return OS{ID: s["ID"], Like: append([]string{}, strings.Fields(s["ID_LIKE"])...), Version: s["VERSION_ID"]}
}

// settings reads KEY=value lines as os-release has them: quotes of a shell,
// and a backslash before what they would swallow.
func (l *looker) settings(path string) map[string]string {
	text, _ := l.text(path)
	all := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			all[key] = unquote(value)
		}
	}
	return all
}

func unquote(s string) string {
	if n := len(s); n >= 2 && s[0] == s[n-1] {
		switch s[0] {
		case '\'':
			return s[1 : n-1]
		case '"':
			return strings.NewReplacer(`\"`, `"`, `\$`, `$`, `\\`, `\`, "\\`", "`").Replace(s[1 : n-1])
		}
	}
	return s
}

// has looks for what packages bring, in the places of Debian (multiarch) and
// of the Red Hat family (lib64).
func (l *looker) has() Has {
	nslcd := l.exists("/usr/sbin/nslcd", "/usr/sbin/pynslcd")
	return Has{
		Nslcd: nslcd,
		SSSD:  l.exists("/usr/sbin/sssd"),
		// nslcd's module has the same name as PADL's; they exclude each other.
		NSSLDAP:  !nslcd && l.exists(libraries("libnss_ldap.so.2")...),
		PAMLDAP:  l.exists(libraries("security/pam_ldap.so")...),
		PAMSSS:   l.exists(libraries("security/pam_sss.so")...),
		LDAPConf: l.exists("/usr/bin/ldapsearch") || l.exists(libraries("libldap*.so.*")...),
		Gmond:    l.exists("/usr/sbin/gmond"),
		Nscd:     l.exists("/usr/sbin/nscd"),
		Autofs:   l.exists("/usr/sbin/automount"),
	}
}

func libraries(name string) []string {
	var all []string
	for _, dir := range []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/lib/*-linux-gnu*", "/usr/lib/*-linux-gnu*"} {
		all = append(all, path.Join(dir, name))
	}
	return all
}
