package logins

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// A numeric is a number that a file sets. Line 0 of its place says that the
// file does not, and that the number is the program's own.
type numeric struct {
	n  int
	at cite.Place
}

// said is the setting as a term shows it.
func (v numeric) said(name string) string {
	if v.at.Line == 0 {
		return fmt.Sprintf("%s %d (default)", name, v.n)
	}
	return fmt.Sprintf("%s %d", name, v.n)
}

// A wordAt is a word of a file and where it stands.
type wordAt struct {
	s  string
	at cite.Place
}

// textLine is one line that says something.
type textLine struct {
	at   cite.Place
	text string
}

// textLines are the lines of a file without blanks at their ends, and without
// those that are empty or begin with one of the comment marks.
func textLines(file, text, comments string) []textLine {
	var out []textLine
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line != "" && !strings.ContainsRune(comments, rune(line[0])) {
			out = append(out, textLine{cite.Place{File: file, Line: n}, line})
		}
	}
	return out
}

// joinedLines are the lines of a file whose lines go on after a backslash, with
// one blank between words and without comments: those of PAM and of autofs.
func joinedLines(path, text string) []textLine {
	var out []textLine
	open, n := false, 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), "#")
		rest, goesOn := strings.CutSuffix(strings.TrimSpace(line), "\\")
		if open {
			out[len(out)-1].text += " " + rest
		} else {
			out = append(out, textLine{cite.Place{File: path, Line: n}, rest})
		}
		open = goesOn
	}
	kept := out[:0]
	for _, l := range out {
		if l.text = strings.Join(strings.Fields(l.text), " "); l.text != "" {
			kept = append(kept, l)
		}
	}
	return kept
}

// remarks are what could not be read, or what is read otherwise than it looks.
// None of it is fatal: a login goes on too.
type remarks []string

func (r *remarks) add(at cite.Place, format string, args ...any) {
	*r = append(*r, at.String()+": "+fmt.Sprintf(format, args...))
}

// number reads a whole number of seconds or of tries into v, and leaves it
// alone, with a remark, where the word is none.
func (r *remarks) number(v *numeric, key, word string, at cite.Place) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > maxSetting {
		r.add(at, "%s %s is no whole number from 0 to %d: taken as %d", key, cite.Quote(word), maxSetting, v.n)
		return
	}
	*v = numeric{n, at}
}

// maxSetting is a day of seconds: more is no limit at all, and sums of it must
// not overflow.
const maxSetting = 86400

// atoi reads as C's does: the digits at the head, and 0 where there are none.
func atoi(s string) int {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[end] == '-' || s[end] == '+')) {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return max(-maxSetting, min(n, maxSetting))
}

// keyValue is a line "key value", the key in lower case.
type keyValue struct {
	key, value string
	at         cite.Place
}

// keyValues reads the files of nslcd, PADL's modules and nscd.
func keyValues(file, text string) []keyValue {
	var out []keyValue
	for _, l := range textLines(file, text, "#") {
		key, value := l.text, ""
		if i := strings.IndexAny(l.text, " \t"); i >= 0 {
			key, value = l.text[:i], strings.TrimSpace(l.text[i:])
		}
		out = append(out, keyValue{strings.ToLower(key), value, l.at})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
