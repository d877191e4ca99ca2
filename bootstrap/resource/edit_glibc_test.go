package resource

import (
	"slices"
	"strings"
)

// A second reader of nsswitch.conf, written after glibc's C and not after the
// editor, to hold the editor to what a login would really do.

// What happens after each status of a source.
type glibcSource struct {
	name    string
	actions [4]string // success, notfound, unavail, tryagain
}

func isSpaceC(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// glibcReads is the sources of each database; lastWins as glibc does since 2.34.
// broken names the databases of lines at which glibc stops reading.
func glibcReads(data []byte, lastWins bool) (db map[string][]glibcSource, broken map[string]bool) {
	db, broken = map[string][]glibcSource{}, map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if !lastWins { // newer ones leave the newline on, as white space
			line = strings.TrimSuffix(line, "\n")
		}
		name, sources, ok, is := glibcLine(line)
		if !is {
			continue
		}
		if !ok {
			broken[name] = true
		}
		if _, there := db[name]; lastWins || !there {
			db[name] = sources
		}
	}
	return db, broken
}

func glibcLine(line string) (name string, sources []glibcSource, ok, is bool) {
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	// C strings: what lies beyond the end is NUL.
	s := line + "\x00\x00"
	i := 0
	for isSpaceC(s[i]) {
		i++
	}
	from := i
	for s[i] != 0 && !isSpaceC(s[i]) && s[i] != ':' {
		i++
	}
	if s[i] == 0 || i == from {
		return "", nil, true, false
	}
	name = s[from:i]
	for s[i] != 0 && (isSpaceC(s[i]) || s[i] == ':') {
		i++
	}
	for {
		for isSpaceC(s[i]) {
			i++
		}
		if s[i] == 0 {
			return name, sources, true, true
		}
		from := i
		for s[i] != 0 && !isSpaceC(s[i]) && s[i] != '[' {
			i++
		}
		if i == from {
			return name, sources, false, true
		}
		src := glibcSource{s[from:i], [4]string{"RETURN", "CONTINUE", "CONTINUE", "CONTINUE"}}
		for isSpaceC(s[i]) {
			i++
		}
		if s[i] == '[' {
			var good bool
			if i, good = glibcActions(s, i, &src); !good {
				return name, sources, false, true
			}
		}
		sources = append(sources, src)
	}
}

func glibcActions(s string, i int, src *glibcSource) (int, bool) {
	i++
	for isSpaceC(s[i]) {
		i++
	}
	for {
		not := s[i] == '!'
		if not {
			i++
		}
		from := i
		for s[i] != 0 && !isSpaceC(s[i]) && s[i] != '=' && s[i] != ']' {
			i++
		}
		status := slices.Index([]string{"SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN"}, capitals(s[from:i]))
		for isSpaceC(s[i]) {
			i++
		}
		if status < 0 || s[i] != '=' {
			return i, false
		}
		i++
		for isSpaceC(s[i]) {
			i++
		}
		from = i
		for s[i] != 0 && !isSpaceC(s[i]) && s[i] != '=' && s[i] != ']' {
			i++
		}
		action := capitals(s[from:i])
		if action != "RETURN" && action != "CONTINUE" && action != "MERGE" {
			return i, false
		}
		for n := range src.actions {
			if (n == status) != not {
				src.actions[n] = action
			}
		}
		for isSpaceC(s[i]) {
			i++
		}
		if s[i] == ']' {
			return i + 1, true
		}
		if s[i] == 0 {
			return i, false
		}
	}
}

func capitals(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}

// asksLocalFirst says whether a login would ask the local files before the
// source, and the source at all.
func asksLocalFirst(sources []glibcSource, source string) bool {
	local := slices.IndexFunc(sources, func(s glibcSource) bool { return s.name == "files" || s.name == "compat" })
	at := slices.IndexFunc(sources, func(s glibcSource) bool { return s.name == source })
	if local < 0 || at < local {
		return false
	}
	return !slices.ContainsFunc(sources[:at], func(s glibcSource) bool { return s.actions[1] == "RETURN" })
}

// others are the names of the sources that the edit is not about.
func others(sources []glibcSource, source string) []string {
	var out []string
	for _, s := range sources {
		if s.name != source && s.name != "files" {
			out = append(out, s.name)
		}
	}
	return out
}
