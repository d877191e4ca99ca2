package logins

import (
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// userManager is what pam_systemd waits for: logind starts user@UID.service,
// and systemd walks the user's groups and PAM's systemd-user for it.
func (m *loginMachine) userManager(p person, l pamLine, phase string) []request {
	out := m.again(p, l)
	if _, there := pamFile(m.Files, "systemd-user"); !there || phase != "session" {
		return out
	}
	out = append(out, m.groups(p, "systemd starts the user's manager, for pam_systemd")...)
	for _, ph := range []string{"account", "session"} {
		s := pamStack{func(l pamLine) ([]string, []request) {
			if l.module == "pam_systemd" { // its own, which would have itself started without end
				return []string{"success"}, nil
			}
			return m.module(p, l, ph)
		}}
		more, _ := s.longest(m.stack("systemd-user", ph))
		out = append(out, more...)
	}
	return out
}

// boundless is a program that somebody else wrote: it may ask whom it likes,
// and nobody ends it. While all servers answer it is taken to end at once.
func (m *loginMachine) boundless(p person, at cite.Place, what string) request {
	wait := forEver
	if p.servers == AllUp {
		wait = Bound{}
	}
	return request{
		of: OfCommand, what: what, at: at, fixed: wait, limit: "nothing bounds it",
		remedy: "put `timeout 5s` before the program, or do without it",
	}
}

// motd is pam_motd, which has update-motd's scripts run before the shell, one
// after the other. Those that ship with the distributions read local files;
// one that names a program for the network is taken to wait for it.
func (m *loginMachine) motd(p person, l pamLine, phase string) []request {
	if phase != "session" || l.has("noupdate") {
		return nil
	}
	var out []request
	for _, file := range sortedKeys(m.Files) {
		if path.Dir(file) != "/etc/update-motd.d" || motdShipped[path.Base(file)] {
			continue
		}
		words := strings.FieldsFunc(withoutComments(m.Files[file]), func(r rune) bool {
			return !(r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
		})
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(facts.NetworkPrograms, w) }) {
			out = append(out, m.boundless(p, cite.Place{File: file}, "pam_motd runs a script that asks the network"))
		}
	}
	return out
}

// Ubuntu's news come from a timer; its script shows what was fetched.
var motdShipped = map[string]bool{"50-motd-news": true}
