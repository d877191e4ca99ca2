package facts

import (
	"slices"
	"strings"
)

// Accounts is who is local. It is names alone.
type Accounts struct {
	Users  []string `json:"users"`  // of /etc/passwd, by name
	Unread string   `json:"unread"` // why it is not known who they are; else ""
	// UsersRule is where a rule of sshd's or PAM's names the group users: whom
	// it would shut out is then not for a plan to try. "" where none does.
	UsersRule string `json:"users_rule"`
}

// UsersGroup is the group that everybody may be in, and its number, on Debian
// and on RHEL. Nothing is owned by it.
const (
	UsersGroup   = "users"
	UsersGroupID = 100
)

// usersRules are the files whose rules may turn on a group.
var usersRules = []string{
	sshdConfig, sshdConfig + ".d/*.conf", "/etc/security/access.conf", "/etc/security/limits.conf", "/etc/security/limits.d/*.conf",
	"/etc/pam.d/sshd", "/etc/pam.d/common-account", "/etc/pam.d/common-auth", "/etc/pam.d/password-auth", "/etc/pam.d/system-auth",
}

func (l *looker) accounts() Accounts {
	var a Accounts
	before := len(l.problems)
	text, there := l.text("/etc/passwd")
	if !there {
		if len(l.problems) > before {
			a.Unread = l.problems[before].Detail
		}
		return a
	}
	a.Users = userNames(text)
	for _, pattern := range usersRules {
		paths := []string{pattern}
		if strings.Contains(pattern, "*") {
			paths = l.glob(pattern)
		}
		for _, p := range paths {
			if text, _ := l.text(p); a.UsersRule == "" && namesGroup(text, UsersGroup) {
				a.UsersRule = p
			}
		}
	}
	return a
}

// userNames are the names in /etc/passwd, sorted, each once.
func userNames(text string) []string {
	out := []string{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if strings.Count(rest, ":") == 5 && name != "" && !strings.ContainsAny(name[:1], "#+-") && !strings.ContainsAny(name, " \t") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// namesGroup says whether a word of a line that is no comment is the group's
// name, or a pattern that might be.
func namesGroup(text, group string) bool {
	if !strings.Contains(text, group) && !strings.ContainsAny(text, "*?") {
		return false
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		groups := false
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n,:@%()=\"", r) }) {
			low := strings.ToLower(word)
			groups = groups || strings.Contains(low, "group")
			if word == group || groups && strings.ContainsAny(word, "*?") {
				return true
			}
		}
	}
	return false
}
