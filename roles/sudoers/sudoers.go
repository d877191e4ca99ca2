// Package sudoers says whether somebody may become root, by the lines of sudo's
// rules, as sudo reads them. It must not know who asks, nor where the lines
// were read.
package sudoers

import (
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// Answer is yes, no, or what could not be read: that is never taken for a no.
type Answer int

// The answers; the zero value is No.
const (
	No Answer = iota
	Yes
	Unsure
)

// User is who asks sudo to run anything as root, on which host.
type User struct {
	Name   string
	UID    int
	GIDs   []int    // the primary among them
	Groups []string // local ones, the primary among them
	Host   string   // /etc/hostname's
}

// Rule is what sudo's rules say.
type Rule struct {
	May      Answer
	At       cite.Place   // the rule that says so
	Password bool         // it asks for the user's own password
	Unread   []cite.Place // rules that could not be read to their end
}

// MayBecomeRoot reads rules as sudo does: of those that fit the last counts. It
// looks for a rule for all commands as root. User, group, host and command
// aliases are followed; a netgroup, a group of another source, a network or a
// pattern is not read, and makes the answer Unsure.
func MayBecomeRoot(lines []facts.SudoersLine, who User) Rule {
	r := reader{who: who, aliases: map[string][]string{}}
	for _, l := range lines {
		r.alias(l.Text) // may stand behind the rule that names it
	}
	out := Rule{Password: true}
	asks := true
	for _, l := range lines {
		at := cite.Place{File: l.File, Line: l.Line}
		text := withoutComment(l.Text)
		first, rest, _ := strings.Cut(text, " ")
		switch {
		case text == "" || strings.HasSuffix(first, "_Alias"):
			continue
		case strings.HasPrefix(first, "Defaults"):
			if slices.Contains(split(rest, ", "), "!authenticate") {
				asks = false
			}
			continue
		}
		may, password, ok := r.rule(text)
		if !ok || may == Unsure {
			out.Unread = append(out.Unread, at)
			// What would have granted leaves a no open; what may take away, a yes.
			if may = Unsure; out.May == Yes && !strings.Contains(text, "!") {
				continue
			}
			out.May, out.At = may, at
			continue
		}
		if may == Yes {
			out.May, out.At, out.Password = Yes, at, password
		} else if r.denied {
			out.May, out.At = No, at
		}
	}
	out.Password = out.Password && asks
	return out
}
