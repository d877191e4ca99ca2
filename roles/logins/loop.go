package logins

import (
	"net/netip"
	"slices"
	"strings"
)

// A DirectoryLoop is a directory's server that is found by a name which the
// machine looks for in the directory.
type DirectoryLoop struct {
	Server string // as its file names it, without a user or password
	At     string // the line that names it
	Hosts  string // the line of nsswitch.conf
	Later  bool   // DNS is asked before: the loop closes where that does not know, or is silent
}

// DirectoryLoops finds them in the files of a login. What sssd asks is no loop,
// as it finds its servers by a resolver of its own. nslcd leaves the directory
// out of its own lookups, so it can only be at a loss: where nobody else is
// asked for names. PADL's module runs inside of whoever asks, and so goes round.
func DirectoryLoops(l Login) []DirectoryLoop {
	nss, _ := parseNSSwitch(l.Files[nsswitchPath])
	line := nss.line("hosts")
	way := hostsWay(line)
	if !way.directory || !l.Running.Nslcd && !l.Running.PADL {
		return nil
	}
	known := map[string]bool{"localhost": true}
	if way.files {
		for name := range parseHosts(l.Files["/etc/hosts"]) {
			known[name] = true
		}
	}
	var out []DirectoryLoop
	for _, u := range loopServers(l) {
		plain := plainURI(u.s)
		host := strings.ToLower(strings.Trim(uriHost(plain), "[]"))
		if _, err := netip.ParseAddr(host); err == nil || plain == "" || known[strings.TrimSuffix(host, ".")] {
			continue
		}
		if l.Running.Nslcd && (way.before || way.after) {
			continue
		}
		out = append(out, DirectoryLoop{Server: plain, At: u.at.String(), Hosts: line.at.String(), Later: way.before})
	}
	return out
}

// loopServers is the servers of the client that answers for ldap. Where both
// are there, nslcd's module has the name.
func loopServers(l Login) []wordAt {
	if l.Running.Nslcd {
		c, _ := parseNslcd(l.Files[nslcdPath])
		return set(c.uris)
	}
	for _, file := range []string{"/etc/libnss-ldap.conf", "/etc/ldap.conf"} {
		if text, there := l.Files[file]; there {
			c, _ := parsePADL(file, text)
			return set(c.uris)
		}
	}
	return nil
}

// set leaves out what a program takes where its file names nothing.
func set(all []wordAt) []wordAt {
	return slices.DeleteFunc(all, func(w wordAt) bool { return w.at.Line == 0 })
}

// way is who is asked for a name, before the directory and after it.
type way struct{ files, before, directory, after bool }

func hostsWay(l nssLine) way {
	var w way
	for _, src := range l.sources {
		network := false
		switch src.name {
		case "ldap":
			w.directory = true
		case "files":
			w.files = w.files || !w.directory
		case "dns", "resolve":
			network = true
		}
		w.before = w.before || network && !w.directory
		w.after = w.after || network && w.directory
		// Whatever it answers, nobody is asked after it.
		if !slices.ContainsFunc(nssStatuses[1:], src.goesOn) {
			break
		}
	}
	return w
}
