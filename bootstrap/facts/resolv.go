package facts

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// maxComment bounds what is kept of resolv.conf's leading comment, in bytes.
const maxComment = 4 << 10

// resolv reads what tells whose /etc/resolv.conf is.
func (l *looker) resolv() Resolv {
	r := Resolv{
		Resolved:       l.exists("/run/systemd/resolve/resolv.conf"),
		NetworkManager: l.exists("/run/NetworkManager"),
		NMDNS:          l.nmDNS(),
		Networkd:       l.exists("/run/systemd/netif"),
		Netplan:        l.exists("/etc/netplan/*.yaml", "/etc/netplan/*.yml"),
		Dhclient:       l.exists("/sbin/dhclient", "/usr/sbin/dhclient"),
		Dhcpcd:         l.exists("/sbin/dhcpcd", "/usr/sbin/dhcpcd"),
		Resolvconf:     l.resolvconf("/sbin/resolvconf") || l.resolvconf("/usr/sbin/resolvconf"),
	}
	i, err := l.h.Lstat("/etc/resolv.conf")
	if err != nil {
		l.fail("/etc/resolv.conf", err)
		return r
	}
	r.Exists, r.Link = i.Exists, i.Link
	if i.Exists {
		text, _ := l.text("/etc/resolv.conf") // a link that leads nowhere has none
		r.Comment = leadingComment(text)
	}
	return r
}

// resolvconf passes over the link of that name to resolvectl, which systemd
// brings and which manages nothing by itself.
func (l *looker) resolvconf(p string) bool {
	if !l.exists(p) {
		return false
	}
	to, err := l.h.Resolve(p)
	if err != nil {
		l.fail(p, err)
	}
	return path.Base(to) != "resolvectl"
}

// leadingComment is the first lines that are comments, empty lines left out.
func leadingComment(text string) string {
	var lines []string
	for line := range strings.Lines(text[:min(len(text), maxComment)]) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if line[0] != '#' && line[0] != ';' {
			break
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// nmDNS is main.dns as NetworkManager would read it. A drop-in of our own is
// left out, or the next pass would take our work for the administrator's wish.
func (l *looker) nmDNS() string {
	const packaged, boot, admin = "/usr/lib/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/etc/NetworkManager/conf.d"
	// A file hides the one of the same name in the folders before its own.
	dropIns := map[string]string{}
	for _, dir := range []string{packaged, boot, admin} {
		for _, p := range l.glob(dir + "/*.conf") {
			dropIns[path.Base(p)] = p
		}
	}
	dns := ""
	read := func(p string) {
		text, _ := l.text(p)
		if v, ok := iniValue(text, "main", "dns"); ok {
			dns = v
		}
	}
	names := slices.Sorted(maps.Keys(dropIns))
	in := func(admins bool) {
		for _, n := range names {
			if (path.Dir(dropIns[n]) == admin) == admins && !strings.Contains(n, "reveille") {
				read(dropIns[n])
			}
		}
	}
	in(false)
	read("/etc/NetworkManager/NetworkManager.conf")
	in(true)
	return dns
}

// iniValue is the last value of a key in a section of a key file.
func iniValue(text, section, key string) (value string, ok bool) {
	in := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			in = line[1 : len(line)-1]
			continue
		}
		k, v, found := strings.Cut(line, "=")
		if found && in == section && strings.TrimSpace(k) == key {
			value, ok = strings.TrimSpace(v), true
		}
	}
	return value, ok
}
