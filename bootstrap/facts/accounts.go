package facts

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Accounts is who is local. It is names alone.
type Accounts struct {
	Users  []LocalUser `json:"users"`  // of /etc/passwd, by name
	Unread string      `json:"unread"` // why it is not known who they are; else ""
	// UsersRule is where a rule of sshd's or PAM's names the group users: whom
	// it would shut out is then not for a plan to try. "" where none does.
	UsersRule string `json:"users_rule"`
}

// LocalUser is a line of /etc/passwd, as far as it is kept.
type LocalUser struct {
	Name string `json:"name"`
	GID  int    `json:"gid"` // his own group
}

// Names are the users' names.
func (a Accounts) Names() []string {
	var out []string
	for _, u := range a.Users {
		out = append(out, u.Name)
	}
	return out
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
	a.Users = localUsers(text)
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

// localUsers are those in /etc/passwd, by name; of two lines the first counts.
func localUsers(text string) []LocalUser {
	out := []LocalUser{}
	for line := range strings.Lines(text) {
		f := strings.Split(line, ":")
		if len(f) != 7 || f[0] == "" || strings.ContainsAny(f[0][:1], "#+-") || strings.ContainsAny(f[0], " \t") {
			continue
		}
		if gid, err := strconv.ParseUint(f[3], 10, 32); err == nil {
			out = append(out, LocalUser{f[0], int(gid)})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return slices.CompactFunc(out, func(a, b LocalUser) bool { return a.Name == b.Name })
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
