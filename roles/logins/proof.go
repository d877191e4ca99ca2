package logins

import (
	"fmt"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/roles/sudoers"
)

// ProveBreakGlass looks for whatever could keep an account out, or from
// becoming root, with every server dead, and says what to do about it. who
// names it at the head of each title. What could not be read is told as such,
// and never taken for well: an account is proven where nothing graver than a
// remark is found. login is the profile's login_budget: how long he may wait for
// a directory that does not answer.
//
// Not looked at: which algorithms sshd takes and how long an RSA key must be,
// revoked keys, modules of PAM that this program does not know, SELinux, and
// the network between a person and sshd.
func ProveBreakGlass(a facts.Account, who string, login time.Duration) []facts.Finding {
	m := newLoginMachine(Login{
		Files: a.Login.Files, Sshd: a.Login.Sshd, Mounts: a.Login.Mounts, Running: Running(a.Login.Running), BreakGlass: a.Name,
	})
	p := &prover{a: a, m: m, who: who, login: login, out: []facts.Finding{}}
	for _, u := range m.users {
		if u.name == a.Name {
			p.person = person{u, BreakGlassUser, true, AllDown}
			p.findGroups()
			for _, look := range p.looks() {
				look()
			}
			return p.out
		}
	}
	p.find("missing", facts.Error, "is not in /etc/passwd: with the directory dead nobody gets in by it.",
		"Create it on the image, `useradd -m -s /bin/bash "+a.Name+"`, with an authorized key; or name one that is there.")
	return p.out
}

// Proven says whether findings leave an account proven.
func Proven(all []facts.Finding) bool {
	for _, f := range all {
		if f.Severity != facts.Info {
			return false
		}
	}
	return true
}

// answer is yes, no, or what could not be read, as it is of sudo's rules.
type answer = sudoers.Answer

const no, yes, unsure = sudoers.No, sudoers.Yes, sudoers.Unsure

// prover is one proof.
type prover struct {
	a      facts.Account
	m      *loginMachine
	who    string
	login  time.Duration
	person person
	groups []localGroup // those he is in by this machine's files, his own first
	out    []facts.Finding
}

// looks is the visible list, in the order in which a login meets them.
func (p *prover) looks() []func() {
	return []func(){
		p.shell, p.shadow, p.noLogin, p.sshd, p.matches, p.keys, p.home,
		p.nameService, p.groupLine, p.pam, p.access, p.waits,
		p.sudoSource, p.sudo, p.ownName,
	}
}

// find adds a finding: its code's end, what is wrong, and what to do.
func (p *prover) find(code string, s facts.Severity, title, remedy string) {
	p.out = append(p.out, p.finding(code, s, title, remedy))
}

func (p *prover) finding(code string, s facts.Severity, title, remedy string) facts.Finding {
	return facts.Finding{Code: "break-glass-" + code, Severity: s, Title: p.who + " " + title, Remedy: remedy}
}

// localGroup is a line of /etc/group.
type localGroup struct {
	name string
	gid  int
}

// findGroups finds the groups that this machine's own files give him. Others
// are the directory's, which does not answer.
func (p *prover) findGroups() {
	var own, others []localGroup
	for _, l := range textLines(groupPath, p.a.Login.Files[groupPath], "#") {
		f := strings.Split(l.text, ":")
		if len(f) != 4 || decimal(f[2]) < 0 {
			continue
		}
		g := localGroup{f[0], decimal(f[2])}
		if g.gid == p.person.gid {
			own = append(own, g)
		} else if containsWord(f[3], p.person.name) {
			others = append(others, g)
		}
	}
	p.groups = append(own, others...)
}

func containsWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(w) == word {
			return true
		}
	}
	return false
}

func (p *prover) inGroup(pattern string) bool {
	for _, g := range p.groups {
		if matchPattern(g.name, pattern) {
			return true
		}
	}
	return false
}

// shell is what sshd asks of it: there, a regular file, executable for anybody
// at all (allowed_user in auth.c). /etc/shells it does not read; pam_shells does.
func (p *prover) shell() {
	w, end := p.a.Shell, p.a.Shell.End()
	name := p.a.Name
	switch {
	case !p.person.logsIn():
		p.find("shell", facts.Error, "has the shell "+p.person.shell+", which lets nobody in.", "`usermod -s /bin/bash "+name+"`.")
		return
	case !p.a.Looked:
		return
	case w.Remote != "":
		p.find("shell", facts.Error, fmt.Sprintf("has the shell %s on another machine's files (%s).", w.Path, w.Remote), "`usermod -s /bin/bash "+name+"`.")
		return
	case w.Missing != "":
		p.find("shell", facts.Error, fmt.Sprintf("has the shell %s, which is not there: sshd lets nobody in by it.", w.Path), "Install it, or `usermod -s /bin/bash "+name+"`.")
		return
	case w.Unread != "":
		p.find("shell", facts.Warning, fmt.Sprintf("has the shell %s, which could not be looked at: %s.", w.Path, w.Unread), "`usermod -s /bin/bash "+name+"`.")
		return
	case !end.Mode.IsRegular() || end.Mode.Perm()&0o111 == 0:
		p.find("shell", facts.Error, fmt.Sprintf("has the shell %s, which is no program (%v).", w.Path, end.Mode), "`chmod 0755 "+end.Path+"`, or `usermod -s /bin/bash "+name+"`.")
		return
	}
	listed := len(p.a.Shells) == 0 && p.a.Shells == nil
	for _, s := range p.a.Shells {
		listed = listed || s == w.Path
	}
	if listed {
		return
	}
	severity, title := facts.Info, "has the shell "+w.Path+", which /etc/shells does not list: sshd lets it in all the same, some programs do not."
	for _, phase := range []string{"auth", "account"} {
		for _, l := range p.m.stack(p.m.sshd.service, phase) {
			if l.module == "pam_shells" {
				severity, title = facts.Error, fmt.Sprintf("has the shell %s, which /etc/shells does not list, and pam_shells asks for that (%s).", w.Path, l.at)
			}
		}
	}
	p.find("shells", severity, title, "Add "+w.Path+" to /etc/shells.")
}

// shadow is what pam_unix's account phase and sshd look at. A password that is
// locked or none keeps no key out where PAM is used: pam_unix reads the field in
// its auth phase alone, which a key login does not run. Without PAM, sshd itself
// takes a "!" at the head for a locked account; "*LK*" it does so on Solaris
// alone.
func (p *prover) shadow() {
	s := p.a.Shadow
	name := p.a.Name
	switch {
	case !p.a.Looked:
		return
	case s.Unread != "":
		p.find("shadow", facts.Warning, "may be expired or locked: "+s.Unread+".", "Run this as root, on the machine itself.")
		return
	case !s.There:
		p.find("shadow", facts.Error, "has no line in /etc/shadow: pam_unix's account phase refuses it.", "`pwconv` makes one.")
		return
	}
	if s.Expires >= 0 && p.a.Today >= s.Expires {
		p.find("expired", facts.Error, fmt.Sprintf("is expired, by /etc/shadow, since day %d; this is day %d.", s.Expires, p.a.Today), "`chage -E -1 "+name+"`.")
	}
	age := p.a.Today - s.Changed
	switch {
	case s.Changed == 0:
		p.find("password-age", facts.Error, "has to change its password at the next login, by /etc/shadow: one who came by a key and knows none is sent away.", "`chage -d -1 "+name+"`.")
	case s.Changed > 0 && s.Most >= 0 && age >= s.Most && s.Password != facts.PasswordEmpty:
		p.find("password-age", facts.Error, fmt.Sprintf("has a password that is older than its %d days, by /etc/shadow: it has to be changed at a login, by a key as well.", s.Most), "`chage -M -1 "+name+"`.")
	}
	if s.Password == facts.PasswordLocked && !p.m.sshd.usePAM {
		p.find("locked", facts.Error, "has a password that begins with \"!\", and sshd is set to UsePAM no: it takes that for a locked account, for keys as well.",
			"Set UsePAM yes, or `usermod -p '*' "+name+"`.")
	}
}
