package logins

import (
	"strings"

	"reveille/roles/cite"
)

// nssSource is one source of a line and what comes after each of its answers.
type nssSource struct {
	name string
	on   map[string]string // "notfound" -> "return", "continue" or "merge"; what is not here is the default
}

// goesOn says whether the next source is asked after this answer.
func (s nssSource) goesOn(status string) bool {
	if action, ok := s.on[status]; ok {
		return action != "return"
	}
	return status != "success"
}

// nssLine is the sources of one database.
type nssLine struct {
	sources []nssSource
	text    string
	at      cite.Place // line 0: glibc's own default
}

// nsswitch is /etc/nsswitch.conf by database.
type nsswitch map[string]nssLine

// parseNSSwitch reads as glibc does since 2.33 (nss/nss_database.c): the last
// line of a database counts. Older ones take the first, hence the remark.
func parseNSSwitch(text string) (nsswitch, remarks) {
	out := nsswitch{}
	var notes remarks
	for _, l := range textLines(nsswitchPath, text, "#") {
		line, _, _ := strings.Cut(l.text, "#")
		db, rest, ok := strings.Cut(line, ":")
		db = strings.TrimSpace(db)
		if !ok || db == "" || strings.ContainsAny(db, " \t") {
			notes.add(l.at, "no database and its sources: glibc passes it over")
			continue
		}
		if before, twice := out[db]; twice {
			notes.add(l.at, "%s is here twice, first at line %d: glibc takes the last since 2.33, the first before", db, before.at.Line)
		}
		out[db] = nssLine{parseSources(rest), strings.Join(strings.Fields(line), " "), l.at}
	}
	return out, notes
}

// parseSources reads "files [!UNAVAIL=return] ldap".
func parseSources(text string) []nssSource {
	var out []nssSource
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if text[0] == '[' {
			inner, rest, _ := strings.Cut(text[1:], "]")
			text = rest
			if len(out) > 0 {
				last := &out[len(out)-1]
				last.on = addActions(last.on, inner)
			}
			continue
		}
		end := strings.IndexAny(text, " \t[")
		if end < 0 {
			end = len(text)
		}
		out = append(out, nssSource{name: text[:end]})
		text = text[end:]
	}
	return out
}

var nssStatuses = []string{"success", "notfound", "unavail", "tryagain"}

// addActions reads what stands between brackets. "!STATUS" is every other one.
func addActions(on map[string]string, text string) map[string]string {
	if on == nil {
		on = map[string]string{}
	}
	text = strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(text), " =", "="), "= ", "=")
	for _, word := range strings.Fields(text) {
		status, action, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		not, negated := strings.CutPrefix(status, "!")
		for _, s := range nssStatuses {
			if s == status || negated && s != not {
				on[s] = action
			}
		}
	}
	return on
}

// line is a database's sources: its own, or what glibc takes in its place.
func (n nsswitch) line(db string) nssLine {
	if l, ok := n[db]; ok {
		return l
	}
	if l, ok := n["passwd"]; ok && db == "shadow" {
		return l
	}
	text := map[string]string{"hosts": "files dns", "initgroups": "", "sudoers": "files"}
	sources, ok := text[db]
	if !ok {
		sources = "files"
	}
	return nssLine{parseSources(sources), db + ": " + sources, cite.Place{File: nsswitchPath}}
}
