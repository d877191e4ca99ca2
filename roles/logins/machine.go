package logins

import (
	"fmt"
	"slices"

	"reveille/roles/cite"
)

// loginMachine is a Login with its files read.
type loginMachine struct {
	Login
	resolv  resolvConf
	nss     nsswitch
	hosts   map[string]bool
	users   []passwdEntry
	members map[string][]groupMember
	sshd    sshdConf
	nscd    map[string]wordAt
	mounts  []mount
	autofs  automounts
	clients map[string]dirClient // by the source's name in nsswitch.conf
	pamLDAP dirClient            // who answers pam_ldap; nil where nobody does
	notes   remarks
	uncount map[string]bool // notes of things met on the way, once each

	sshdLines []textLine
	uids      []int
	stacks    map[string][]pamLine // those that were read, by service and phase
}

func newLoginMachine(l Login) *loginMachine {
	m := &loginMachine{Login: l, clients: map[string]dirClient{}, uncount: map[string]bool{}, stacks: map[string][]pamLine{}}
	note := func(r remarks) { m.notes = append(m.notes, r...) }
	var r remarks

	hostname, named := l.Files["/etc/hostname"]
	if !named {
		hostname = "unknown.invalid" // with a domain, which costs the more
	}
	m.resolv, r = parseResolv(l.Files[resolvPath], hostname)
	note(r)
	m.nss, r = parseNSSwitch(l.Files[nsswitchPath])
	note(r)
	m.users, r = parsePasswd(l.Files[passwdPath])
	note(r)
	m.sshd, r = parseSshd(l.Sshd)
	note(r)
	m.mounts, r = parseMounts(l.Mounts)
	note(r)
	m.sshdLines = sshdLines(l.Files)
	m.hosts = parseHosts(l.Files["/etc/hosts"])
	m.members = parseGroup(l.Files[groupPath])
	if l.Running.Nscd {
		m.nscd = parseNscd(l.Files[nscdPath])
	}
	m.autofs = parseAutofs(l.Files)
	if l.Running.Automount {
		note(m.autofs.notes)
	}
	m.addClients(note)
	return m
}

// addClients reads the files of those directory clients that run.
func (m *loginMachine) addClients(note func(remarks)) {
	if m.Running.Nslcd {
		conf, r := parseNslcd(m.Files[nslcdPath])
		note(r)
		c := nslcdClient{m, conf, map[Servers]int{}}
		m.clients["ldap"], m.pamLDAP = c, c
	}
	if m.Running.PADL {
		conf, r := m.padlFile("/etc/libnss-ldap.conf", "/etc/ldap.conf")
		note(r)
		m.clients["ldap"] = padlClient{m, conf}
		conf, r = m.padlFile("/etc/pam_ldap.conf", "/etc/ldap.conf")
		note(r)
		conf.soft = true // pam_ldap goes over its servers once, and knows no policy
		m.pamLDAP = padlClient{m, conf}
	}
	if m.Running.SSSD {
		conf, r := parseSSSD(m.Files)
		note(r)
		m.clients["sss"] = sssdClient{m, conf}
	}
}

// padlFile is the first of a module's files that is there.
func (m *loginMachine) padlFile(paths ...string) (padlConf, remarks) {
	for _, p := range paths {
		if text, ok := m.Files[p]; ok {
			return parsePADL(p, text)
		}
	}
	return parsePADL(paths[0], "")
}

// uncounted notes, once, what is met on the way and not counted.
func (m *loginMachine) uncounted(format string, args ...any) {
	m.uncount[fmt.Sprintf(format, args...)] = true
}

func (m *loginMachine) allNotes() []string {
	return slices.Concat(m.notes, sortedKeys(m.uncount))
}

// person is whose login is worked out, and in which state of the servers.
type person struct {
	passwdEntry
	who     Who
	local   bool // in /etc/passwd
	servers Servers
}

// inGroupLine says whether files alone end the search for his groups: for one
// who is a member in some line, his own group's left out.
func (m *loginMachine) inGroupLine(p person) bool {
	return p.local && slices.ContainsFunc(m.members[p.name], func(g groupMember) bool { return g.gid != p.gid })
}

// people is everybody whom a kind of user stands for.
func (m *loginMachine) people(who Who) []person {
	made := func(name string, local bool) person {
		return person{passwdEntry{name: name, uid: 1000, gid: 1000, home: "/home/" + name, shell: "/bin/sh"}, who, local, ""}
	}
	named := func(name string) []person {
		for _, u := range m.users {
			if u.name == name {
				return []person{{u, who, true, ""}}
			}
		}
		m.uncounted("%s: has no user %s: worked out as if it had, with uid 1000", passwdPath, cite.Quote(name))
		return []person{made(name, true)}
	}
	switch {
	case who == BreakGlassUser:
		return named(m.Login.BreakGlass)
	case who == DirectoryUser:
		p := made("a-directory-user", false)
		p.home = m.autofs.homes(m.Files) + "/" + p.name
		return []person{p}
	case m.Local != "":
		return named(m.Local)
	}
	var out []person
	met := map[string]bool{}
	for _, u := range m.users {
		p := person{u, who, true, ""}
		if u.uid < 1000 || u.uid >= 60000 || !u.logsIn() || u.name == m.Login.BreakGlass || met[m.kind(p)] {
			continue
		}
		met[m.kind(p)] = true
		out = append(out, p)
	}
	if len(out) == 0 {
		out = []person{made("a-local-user", true)}
	}
	return out
}

// worst is the longest login of a kind of user: by what is waited for until
// sshd lets him in, then by the whole.
func (m *loginMachine) worst(who Who, s Servers) Case {
	var worst Case
	for i, p := range m.people(who) {
		c := m.work(p, s)
		if i == 0 || worst.Before.Less(c.Before) || !c.Before.Less(worst.Before) && worst.Total.Less(c.Total) {
			worst = c
		}
	}
	return worst
}
