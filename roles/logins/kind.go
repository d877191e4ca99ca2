package logins

import (
	"fmt"
	"slices"
	"strings"
)

// kind is the same for two local users whose logins wait for the same: a
// machine may have thousands, and all but a few are alike.
func (m *loginMachine) kind(p person) string {
	var b strings.Builder
	fmt.Fprint(&b, m.inGroupLine(p))
	for _, name := range sortedKeys(m.clients) {
		fmt.Fprint(&b, m.clients[name].groupsIgnored(p), m.clients[name].unknown(p))
	}
	for _, c := range m.sshd.commands {
		fmt.Fprint(&b, c.user == p.name)
	}
	at, equal := slices.BinarySearch(m.uidsNamed(), p.uid)
	fmt.Fprint(&b, " ", at, equal)
	if m.Running.Automount || len(m.mounts) > 0 {
		b.WriteString(" " + p.home + " " + p.shell)
	}
	return b.String()
}

// uidsNamed is every number in PAM's files, sorted: what a module makes of a
// uid changes at one of them alone.
func (m *loginMachine) uidsNamed() []int {
	if m.uids == nil {
		m.uids = []int{1000}
		for file, text := range m.Files {
			if !strings.HasPrefix(file, pamFolder) {
				continue
			}
			for _, n := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
				m.uids = append(m.uids, atoi(n))
			}
		}
		slices.Sort(m.uids)
	}
	return m.uids
}
