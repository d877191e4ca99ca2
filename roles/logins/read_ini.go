package logins

import (
	"strings"

	"reveille/roles/cite"
)

// iniFile is a file of sections and "key = value" lines, keys and section
// names in lower case. What stands before the first section has the section
// "". A library would bring value types, writing and reflection into the
// agent for what takes thirty lines here.
type iniFile map[string]map[string]wordAt

// parseINI reads as libini_config does for sssd and as automount does for its
// own file: # and ; begin a comment line, a later value takes an earlier one's
// place, and a line that begins with a blank goes on with the value before.
func parseINI(file, text string, into iniFile) remarks {
	var notes remarks
	section, last := "", ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		at := cite.Place{File: file, Line: n}
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed[0] == '[':
			name, _, ok := strings.Cut(trimmed[1:], "]")
			if !ok {
				notes.add(at, "a section without an end")
			}
			section, last = strings.ToLower(strings.TrimSpace(name)), ""
		case (line[0] == ' ' || line[0] == '\t') && last != "" && !strings.Contains(trimmed, "="):
			v := into[section][last]
			v.s += " " + trimmed
			into[section][last] = v
		default:
			key, value, ok := strings.Cut(trimmed, "=")
			if !ok {
				notes.add(at, "no key and value: passed over")
				continue
			}
			last = strings.ToLower(strings.TrimSpace(key))
			if into[section] == nil {
				into[section] = map[string]wordAt{}
			}
			into[section][last] = wordAt{strings.Trim(strings.TrimSpace(value), `"`), at}
		}
	}
	return notes
}

// commaWords are the words of a list that is parted by commas, blanks or both.
func commaWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}
