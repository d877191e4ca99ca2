package logins

import (
	"fmt"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/sudoers"
)

// sudoSource is who is asked for rules first.
func (p *prover) sudoSource() {
	line := p.m.nss.line("sudoers")
	if src := beforeFiles(line); src != "" && p.person.uid != 0 {
		p.find("sudo-source", facts.Error, fmt.Sprintf("has sudo ask %s before this machine's own rules: %q, %s.", src, line.text, line.at),
			"Write `sudoers: files` into "+nsswitchPath+", the directory behind it if it is wanted.")
	}
}

// sudo looks for a rule by this machine's own files.
func (p *prover) sudo() {
	if p.person.uid == 0 || !p.a.Looked {
		return
	}
	rule := "Put `" + p.a.Name + " ALL=(ALL) NOPASSWD:ALL` into a file of /etc/sudoers.d, owned by root, mode 0440, without a dot in its name; `visudo -c` checks it."
	s := p.a.Sudoers
	if !s.There {
		p.find("sudo", facts.Warning, "cannot become root by sudo: there is no /etc/sudoers.", "Install sudo. "+rule)
		return
	}
	who := sudoers.User{Name: p.a.Name, UID: p.person.uid, Host: p.hostname()}
	who.GIDs = append(who.GIDs, p.person.gid)
	for _, g := range p.groups {
		who.GIDs, who.Groups = append(who.GIDs, g.gid), append(who.Groups, g.name)
	}
	got := sudoers.MayBecomeRoot(s.Lines, who)
	switch {
	case got.May == no && len(s.Unread) > 0:
		p.find("sudo", facts.Warning, "has no rule of sudo's that was found, and not all were read: "+s.Unread[0]+".", rule)
	case got.May == no && len(got.Unread) > 0:
		p.find("sudo", facts.Warning, fmt.Sprintf("has no rule of sudo's that was found, and %s could not be read here.", got.Unread[0]), rule)
	case got.May == no:
		p.find("sudo", facts.Error, "has no rule in this machine's own files by which sudo runs anything as root.", rule)
	case got.May == unsure:
		p.find("sudo", facts.Warning, fmt.Sprintf("may become root by sudo, or not: the rule at %s could not be read to its end.", got.At), rule)
	case got.Password && p.a.Shadow.There && p.a.Shadow.Password != facts.PasswordSet && p.a.Shadow.Password != facts.PasswordEmpty:
		p.find("sudo-password", facts.Error, fmt.Sprintf("has to give a password to sudo, by the rule at %s, and has none.", got.At), rule)
	}
}

// ownName is the machine's own name, which sudo looks up.
func (p *prover) ownName() {
	name := strings.ToLower(p.hostname())
	short, _, _ := strings.Cut(name, ".")
	if name == "" || p.m.hosts[name] || p.m.hosts[short] || p.person.uid == 0 {
		return
	}
	p.find("own-name", facts.Warning, "has sudo ask DNS for this machine's own name, "+name+", which /etc/hosts does not have.", "Add it to /etc/hosts; `reveille boot` does.")
}

// hostname is the first line of /etc/hostname that says something.
func (p *prover) hostname() string {
	for _, l := range textLines("/etc/hostname", p.a.Login.Files["/etc/hostname"], "#") {
		return l.text
	}
	return ""
}
