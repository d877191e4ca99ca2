package logins

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// sources that are not this machine's own.
var directorySources = []string{"ldap", "sss", "nis", "nisplus", "hesiod", "winbind", "wins"}

// nameService is that files answer before any directory, and that a search for
// his groups ends there.
func (p *prover) nameService() {
	for _, db := range []string{"passwd", "group", "shadow"} {
		line := p.m.nss.line(db)
		if src := beforeFiles(line); src != "" {
			p.find("nsswitch", facts.Error, fmt.Sprintf("is looked up by %s before this machine's own files: %q, %s.", src, line.text, line.at),
				"Put files at the head of the "+db+" line.")
		} else if !asksFiles(line) {
			p.find("nsswitch", facts.Error, fmt.Sprintf("is not looked up in this machine's own files: %q, %s.", line.text, line.at),
				"Put files at the head of the "+db+" line.")
		}
	}
	line, own := p.m.nss["initgroups"]
	behind := func(l nssLine) bool { return slices.ContainsFunc(l.sources, isDirectory) }
	const remedy = "Write the line `initgroups: files ldap`, or sss in ldap's place; `reveille boot` does."
	switch {
	case !own && behind(p.m.nss.line("group")):
		p.find("initgroups", facts.Warning, fmt.Sprintf("has its groups looked for in the directory as well: %s has no initgroups line.", nsswitchPath), remedy)
	case own && beforeFiles(line) != "":
		p.find("initgroups", facts.Error, fmt.Sprintf("has its groups looked for in %s before this machine's own files: %q, %s.", beforeFiles(line), line.text, line.at), remedy)
	case own && behind(line) && !endsAtFiles(line):
		p.find("initgroups", facts.Warning, fmt.Sprintf("has its groups looked for in the directory as well: %q does not end at files, %s.", line.text, line.at), remedy)
	}
}

func isDirectory(s nssSource) bool { return slices.Contains(directorySources, s.name) }

// beforeFiles is a directory that a line asks before files; "" where none.
func beforeFiles(line nssLine) string {
	for _, s := range line.sources {
		switch {
		case s.name == "files" || s.name == "compat":
			return ""
		case isDirectory(s):
			return s.name
		}
	}
	return ""
}

func asksFiles(line nssLine) bool {
	return slices.ContainsFunc(line.sources, func(s nssSource) bool { return s.name == "files" || s.name == "compat" })
}

func endsAtFiles(line nssLine) bool {
	for _, s := range line.sources {
		if s.name == "files" || s.name == "compat" {
			return !s.goesOn("success")
		}
	}
	return false
}

// groupLine is what `initgroups: files` ends at: a line that has him as a
// member. His own group's does not.
func (p *prover) groupLine() {
	if p.m.inGroupLine(p.person) {
		return
	}
	severity := facts.Info // as long as no directory is asked for groups
	for _, db := range []string{"group", "initgroups"} {
		if slices.ContainsFunc(p.m.nss.line(db).sources, isDirectory) {
			severity = facts.Warning
		}
	}
	group := facts.UsersGroup
	if p.person.gid == facts.UsersGroupID {
		group = "GROUP" // another than his own
	}
	p.find("group-line", severity, "is a member in no line of /etc/group but maybe its own group's, which does not count: where a directory is asked for groups, the search for his goes on to it.",
		"`usermod -a -G "+group+" "+p.a.Name+"`; `reveille boot` does, where there is a group users with gid 100 and no rule of sshd's or PAM's names it.")
}

// pam is whether the account phase lets him in with every server dead. Each
// module that asks one may say that it does not answer, or that it does not
// know him.
func (p *prover) pam() {
	if !p.m.sshd.usePAM {
		return
	}
	service := p.m.sshd.service
	if _, there := pamFile(p.a.Login.Files, service); !there {
		if _, other := pamFile(p.a.Login.Files, "other"); !other {
			return // nothing was read of PAM, or there is none
		}
	}
	s := pamStack{func(l pamLine) ([]string, []request) {
		results, asked := p.m.module(p.person, l, "account")
		if l.module == "pam_access" { // judged by its own file
			results = []string{"success"}
		}
		return slices.DeleteFunc(slices.Clone(results), func(r string) bool {
			asks := l.module == "pam_ldap" || l.module == "pam_sss"
			return asks && (r == "success" || r == "perm_denied") && len(asked) > 0
		}), asked
	}}
	_, ends := s.longest(p.m.stack(service, "account"))
	at := pamFolder + service
	const remedy = "Let local users pass before the directory's module: `account sufficient pam_localuser.so` behind pam_unix. `reveille debug login-budget all_down` has the stack's waits."
	switch {
	case !ends[goodVerdict]:
		p.find("pam", facts.Error, "is refused by PAM's account phase with every server dead: "+at+".", remedy)
	case ends[badVerdict] || ends[openVerdict]:
		p.find("pam", facts.Warning, "may be refused by PAM's account phase with every server dead: a module of "+at+" may go either way.", remedy)
	}
}

// waits is what he waits for, though he gets in: with every server dead, or with
// servers that take connections and never answer, where the dead keep him waiting
// for nothing or those are the graver. It is a remark as long as it is within the
// limit of a local user's login.
func (p *prover) waits() {
	found := p.waitsFor(AllDown, "a directory that is dead")
	hung := p.waitsFor(AllHung, "a directory that takes connections and never answers")
	if len(found) == 0 || len(hung) > 0 && hung[0].Severity.Graver(found[0].Severity) {
		found = hung
	}
	p.out = append(p.out, found...)
}

// waitsFor is one finding, or none where he waits for nobody.
func (p *prover) waitsFor(s Servers, what string) []facts.Finding {
	c := p.m.work(p.person, s)
	var sum, before Bound
	var longest Term
	for _, t := range c.Terms {
		if t.Of != OfDirectory || t.When == ForPassword {
			continue
		}
		sum = sum.Plus(t.Takes)
		if t.When == BeforeLogin {
			before = before.Plus(t.Takes)
		}
		if longest.What == "" || longest.Takes.Less(t.Takes) {
			longest = t
		}
	}
	if sum == (Bound{}) {
		return nil
	}
	b := Budget{Grace: time.Duration(p.m.sshd.graceSeconds()) * time.Second}
	limit, _ := b.Limit(p.login)
	severity := facts.Info
	switch {
	case before.Over(b.Grace):
		severity = facts.Error
	case sum.Over(limit):
		severity = facts.Warning
	}
	remedy := longest.Remedy
	if remedy == "" {
		remedy = fmt.Sprintf("`reveille debug login-budget %s` has every wait", s)
	}
	return []facts.Finding{p.finding("waits", severity, fmt.Sprintf("waits up to %s for %s, and may for %s: %s, by %s.", sum, what, limit, longest.What, longest.At()), upper(remedy)+".")}
}

// access is pam_access's file, where the account stack has the module.
func (p *prover) access() {
	uses, at := false, cite.Place{}
	for _, l := range p.m.stack(p.m.sshd.service, "account") {
		if l.module == "pam_access" {
			uses, at = true, l.at
			if f, ok := l.value("accessfile"); ok && f != accessPath {
				p.find("access", facts.Warning, fmt.Sprintf("is held to %s by pam_access (%s), which was not looked at.", f, at), "See that it lets "+p.a.Name+" in.")
				return
			}
		}
	}
	if !uses || !p.m.sshd.usePAM {
		return
	}
	for _, l := range textLines(accessPath, p.a.Login.Files[accessPath], "#") {
		f := strings.SplitN(l.text, ":", 3)
		if len(f) != 3 {
			continue
		}
		who, from := p.accessUsers(f[1]), accessFrom(f[2])
		if who == no || from == no {
			continue
		}
		grants := strings.TrimSpace(f[0]) == "+"
		switch {
		case who == yes && from == yes && grants:
			return
		case who == yes && from == yes:
			p.find("access", facts.Error, fmt.Sprintf("is shut out by pam_access: %s.", l.at), "Put `+:"+p.a.Name+":ALL` at the head of "+accessPath+".")
		default:
			p.find("access", facts.Warning, fmt.Sprintf("may be held to %s by pam_access, or not: that line was not read to its end.", l.at), "Put `+:"+p.a.Name+":ALL` at the head of "+accessPath+".")
		}
		return
	}
}

const accessPath = "/etc/security/access.conf"

// accessUsers is whether a line's users are he: his name, ALL, a local group.
func (p *prover) accessUsers(field string) answer {
	if strings.Contains(field, "EXCEPT") {
		return unsure
	}
	out := no
	for _, w := range strings.Fields(strings.ReplaceAll(field, ",", " ")) {
		group, closed := strings.CutSuffix(strings.TrimPrefix(w, "("), ")")
		switch {
		case w == "ALL" || w == p.a.Name:
			return yes
		case strings.HasPrefix(w, "@") || strings.Contains(w, "@"):
			out = unsure
		case slices.ContainsFunc(p.groups, func(g localGroup) bool { return g.name == group || !closed && g.name == w }):
			return yes
		}
	}
	return out
}

func accessFrom(field string) answer {
	switch f := strings.Fields(field); {
	case len(f) == 1 && f[0] == "ALL":
		return yes
	case len(f) == 1 && (f[0] == "LOCAL" || strings.HasPrefix(f[0], "tty") || strings.HasPrefix(f[0], ":")):
		return no // no login from the network is from there
	}
	return unsure
}
