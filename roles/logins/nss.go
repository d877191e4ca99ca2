package logins

import (
	"fmt"
	"slices"
	"time"

	"reveille/roles/cite"
)

// nscdWait is how long glibc waits for nscd before it looks for itself: 5 s,
// in nscd/nscd_helper.c.
const nscdWait = 5

// The sources that answer from this machine alone.
var localSources = []string{"files", "compat", "db", "systemd", "mymachines", "extrausers", "altfiles", "usrfiles"}

// lookup is what one question to the name service asks of directory clients.
type lookup struct {
	db       string // passwd, group, shadow, initgroups, sudoers
	why      string // who asks: "sshd looks the user up"
	searches int    // LDAP searches that it takes
}

// name is a lookup of one entry, by the line of its database.
func (m *loginMachine) name(p person, q lookup) []request {
	line := m.nss.line(q.db)
	remedy := fmt.Sprintf("let files answer first: put it at the head of the %s line of %s", q.db, nsswitchPath)
	return m.ask(p, q, q.db, line, m.clientsOf(p, line, p.local, false), remedy)
}

// groups is a walk for a user's supplementary groups (nss/initgroups.c in
// glibc). Without an initgroups line every source of the group line is asked.
// With one, files ends the walk, but only for a user who is a member in some
// line of /etc/group.
func (m *loginMachine) groups(p person, why string) []request {
	q := lookup{"initgroups", why, 2} // nslcd and sssd look for the user, then for his groups
	line, own := m.nss["initgroups"]
	if !own {
		line = m.nss.line("group")
	}
	remedy := fmt.Sprintf("write the line `initgroups: files …` into %s, and have the user in a line of %s", nsswitchPath, groupPath)
	switch {
	case !p.local:
		remedy = ""
	case own:
		remedy = fmt.Sprintf("put %s into a line of %s, where files finds no group of his; or have the client ignore him", p.name, groupPath)
	}
	asked := m.groupClients(p, line, own)

	// nscd walks the group line though there is an initgroups line
	// (nscd/initgrcache.c): it asks the directory where glibc itself would not.
	if _, kept := m.nscd["group"]; kept && own && len(asked) == 0 {
		if behind := m.groupClients(p, m.nss.line("group"), false); len(behind) > 0 {
			return m.viaNscd(q, behind[0], "group")
		}
	}
	return m.ask(p, q, "group", line, asked, remedy)
}

// groupClients is who is asked for a user's groups.
func (m *loginMachine) groupClients(p person, line nssLine, own bool) []dirClient {
	clients := m.clientsOf(p, line, m.inGroupLine(p), !own)
	return slices.DeleteFunc(clients, func(c dirClient) bool { return c.groupsIgnored(p) })
}

// clientsOf walks a line. found says whether files knows the answer; all says
// that having found something does not end the walk.
func (m *loginMachine) clientsOf(p person, line nssLine, found, all bool) []dirClient {
	var out []dirClient
	for _, src := range line.sources {
		goesOn := src.goesOn("notfound") || src.goesOn("unavail")
		switch c, ok := m.clients[src.name]; {
		case slices.Contains([]string{"files", "compat", "db"}, src.name):
			goesOn = src.goesOn("notfound")
			if found {
				goesOn = all || src.goesOn("success")
			}
		case ok && !c.unknown(p):
			out = append(out, c)
			if !p.local {
				goesOn = all || src.goesOn("success")
			}
		case ok, slices.Contains(localSources, src.name), src.name == "ldap", src.name == "sss":
		default:
			m.uncounted("%s: the source %s is not known here, and what it takes is not counted", line.at, cite.Quote(src.name))
		}
		if !goesOn {
			break
		}
	}
	return out
}

// ask makes the requests of a lookup. Where nscd keeps the database glibc waits
// for nscd first, which asks the same client; an answer that is late glibc
// looks for by itself.
func (m *loginMachine) ask(p person, q lookup, kept string, line nssLine, clients []dirClient, remedy string) []request {
	var out []request
	var alone Bound
	for _, c := range clients {
		alone = alone.Plus(c.waits(p.servers, []int{q.searches})[0])
	}
	if _, ok := m.nscd[kept]; ok && alone.Over(nscdWait*time.Second) {
		out = m.viaNscd(q, clients[0], kept)
	}
	for _, c := range clients {
		r := request{
			of: OfDirectory, what: q.why + ": " + line.text, at: line.at,
			client: c, searches: q.searches, remedy: remedy,
		}
		if !p.local {
			r.remedy = c.remedy()
		}
		out = append(out, r)
	}
	return out
}

// viaNscd is the wait for nscd, which may be as stuck as whom it asks.
func (m *loginMachine) viaNscd(q lookup, behind dirClient, db string) []request {
	return []request{{
		of: OfDirectory, what: fmt.Sprintf("%s: by way of nscd, which asks the sources of %s", q.why, db),
		at: m.nscd[db].at, client: nscdClient{behind}, searches: q.searches,
		remedy: fmt.Sprintf("take %q out of %s", m.nscd[db].s, nscdPath),
	}}
}

// nscdClient is nscd in front of another client: the same wait, but no longer
// than glibc waits for nscd.
type nscdClient struct{ dirClient }

func (c nscdClient) waits(s Servers, searches []int) []Bound {
	out := make([]Bound, len(searches))
	for i, n := range searches {
		out[i] = shorter(c.dirClient.waits(s, []int{n})[0], secs(nscdWait))
	}
	return out
}

func (c nscdClient) limit() string {
	return fmt.Sprintf("glibc's %d s for nscd, or less: %s", nscdWait, c.dirClient.limit())
}
