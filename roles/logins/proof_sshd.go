package logins

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
)

// sshdValues are the words of all lines of an option.
func (p *prover) sshdValues(key string) []string {
	var out []string
	for _, kv := range keyValues("sshd", p.a.Login.Sshd) {
		if kv.key == key {
			out = append(out, strings.Fields(kv.value)...)
		}
	}
	return out
}

// noLogin is /etc/nologin, which keeps everybody but root out: pam_nologin looks
// for it, and sshd itself where it does without PAM. /run/nologin is systemd's,
// of a boot that is not done or a shutdown, and no state of the machine.
func (p *prover) noLogin() {
	asks := !p.m.sshd.usePAM
	if p.m.sshd.usePAM {
		for _, l := range p.m.stack(p.m.sshd.service, "account") {
			f, other := l.value("file")
			switch {
			case l.module != "pam_nologin":
			case !other || f == noLoginPath:
				asks = true
			case p.a.Looked && p.person.uid != 0:
				p.find("nologin", facts.Warning, fmt.Sprintf("is shut out by pam_nologin (%s) where there is a file %s, which was not looked at.", l.at, f), "See that there is none.")
			}
		}
	}
	if asks && p.a.NoLogin && p.person.uid != 0 {
		p.find("nologin", facts.Error, "is shut out, as everybody but root: there is a file "+noLoginPath+".", "`rm "+noLoginPath+"`.")
	}
}

const noLoginPath = "/etc/nologin"

// sshd is its own rules, in the order of allowed_user in auth.c: each list that
// is there has to let him pass.
func (p *prover) sshd() {
	change := func(key string) string {
		return "Change " + key + " in " + p.m.sshdOption(key).String() + "; `sshd -T -C user=" + p.a.Name + "` shows what holds."
	}
	refuse := func(s facts.Severity, key, title string) { p.find("sshd", s, title, change(key)) }
	if v := p.sshdValues("pubkeyauthentication"); len(v) > 0 && v[0] == "no" {
		refuse(facts.Error, "PubkeyAuthentication", "has no way in by a key: sshd is set to PubkeyAuthentication no.")
	}
	if v := p.sshdValues("authenticationmethods"); len(v) > 0 && !slices.Contains(v, "any") && !slices.Contains(v, "publickey") {
		refuse(facts.Error, "AuthenticationMethods", "does not get in by a key alone: sshd is set to AuthenticationMethods "+strings.Join(v, " ")+".")
	}
	if v := p.sshdValues("permitrootlogin"); p.person.uid == 0 && len(v) > 0 && (v[0] == "no" || v[0] == "forced-commands-only") {
		refuse(facts.Error, "PermitRootLogin", "is root, and sshd is set to PermitRootLogin "+v[0]+".")
	}
	switch by, some := p.listed("denyusers"); {
	case by != "":
		refuse(facts.Error, "DenyUsers", "is shut out by sshd's DenyUsers "+by+".")
	case some != "":
		refuse(facts.Warning, "DenyUsers", "is shut out from some addresses by sshd's DenyUsers "+some+".")
	}
	if all := p.sshdValues("allowusers"); len(all) > 0 {
		switch by, some := p.listed("allowusers"); {
		case by != "":
		case some != "":
			refuse(facts.Warning, "AllowUsers", "is let in from some addresses alone, by sshd's AllowUsers "+some+".")
		default:
			refuse(facts.Error, "AllowUsers", "is shut out: sshd's AllowUsers does not name it.")
		}
	}
	if i := slices.IndexFunc(p.sshdValues("denygroups"), p.inGroup); i >= 0 {
		refuse(facts.Error, "DenyGroups", "is shut out by sshd's DenyGroups "+p.sshdValues("denygroups")[i]+".")
	}
	if all := p.sshdValues("allowgroups"); len(all) > 0 && !slices.ContainsFunc(all, p.inGroup) {
		refuse(facts.Error, "AllowGroups", "is in no group of sshd's AllowGroups by this machine's own files: with the directory dead nobody else says so.")
	}
}

// listed is the pattern of a list that names him, and one that does so for some
// addresses alone.
func (p *prover) listed(key string) (always, sometimes string) {
	for _, pattern := range p.sshdValues(key) {
		user, from, part := strings.Cut(pattern, "@")
		switch {
		case !matchPattern(p.a.Name, user):
		case part && from != "*":
			sometimes = pattern
		default:
			always = pattern
		}
	}
	return always, sometimes
}

// matchKeys are the options that a Match block may set and that decide here.
var matchKeys = []string{
	"allowusers", "denyusers", "allowgroups", "denygroups", "pubkeyauthentication", "authenticationmethods",
	"authorizedkeysfile", "permitrootlogin", "forcecommand", "chrootdirectory", "refuseconnection",
}

// matches are the Match blocks that may be meant for him. What comes of one
// hangs on the client's address and more, so it is told and not judged.
func (p *prover) matches() {
	var block textLine
	open := false
	for _, l := range p.m.sshdLines {
		f := strings.Fields(strings.ReplaceAll(l.text, "=", " "))
		if len(f) == 0 {
			continue
		}
		key := strings.ToLower(f[0])
		switch {
		case key == "match":
			block, open = l, p.mayMatch(f[1:])
		case l.at.File != block.at.File:
			open = false // a block ends with its file
		case open && slices.Contains(matchKeys, key):
			p.find("sshd-match", facts.Warning, fmt.Sprintf("may be meant by %q (%s), which sets %s: what comes of it was not looked at.", block.text, block.at, f[0]),
				"`sshd -T -C user="+p.a.Name+",addr=ADDRESS,host=NAME` shows what holds for a client.")
			open = false
		}
	}
}

// mayMatch says whether criteria leave him in: a list of users or groups that
// does not have him shuts a block; all else may hold.
func (p *prover) mayMatch(criteria []string) bool {
	for i := 0; i+1 < len(criteria); i += 2 {
		fits := func(pattern string) bool { return matchPattern(p.a.Name, pattern) }
		switch strings.ToLower(criteria[i]) {
		case "user":
		case "group":
			fits = p.inGroup
		case "all", "canonical", "final":
			i--
			continue
		default:
			continue
		}
		in := false
		for pattern := range strings.SplitSeq(strings.Trim(criteria[i+1], `"`), ",") {
			if not, negated := strings.CutPrefix(pattern, "!"); negated && fits(not) {
				return false
			}
			in = in || fits(pattern)
		}
		if !in {
			return false
		}
	}
	return true
}

// matchPattern is sshd's: "*" is anything, "?" one character.
func matchPattern(s, pattern string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, mark, j = j, i, j+1
		case j < len(pattern) && (pattern[j] == '?' || pattern[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}
