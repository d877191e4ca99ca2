package sudoers

import "strings"

// withoutComment cuts the comment off. "#" before a number is a uid, and
// within quotes or behind a backslash it is itself.
func withoutComment(text string) string {
	text = strings.ReplaceAll(text, "\t", " ")
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted:
			number := i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9'
			if !number {
				return strings.TrimSpace(text[:i])
			}
		}
	}
	return strings.TrimSpace(text)
}

// outside is where the first of some signs stands, outside of quotes and
// parentheses and behind no backslash; -1 where none does.
func outside(text, signs string) int {
	quoted, deep := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case deep == 0 && strings.IndexByte(signs, c) >= 0:
			return i
		case c == '(':
			deep++
		case c == ')':
			deep = max(0, deep-1)
		}
	}
	return -1
}

// split parts a text at some signs, as outside finds them; blanks at the
// ends of its words, and empty words, are left out.
func split(text, signs string) []string {
	var out []string
	for {
		at := outside(text, signs)
		word := text
		if at >= 0 {
			word = text[:at]
		}
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
		if at < 0 {
			return out
		}
		text = text[at+1:]
	}
}

// head parts what stands before the first "=": the users end at the first
// blank that has no comma beside it.
func head(text string) (users, hosts string) {
	text = strings.TrimSpace(text)
	for from := 0; ; {
		at := outside(text[from:], " \t")
		if at < 0 {
			return text, ""
		}
		at += from
		rest := strings.TrimSpace(text[at:])
		before := strings.TrimSpace(text[:at])
		if !strings.HasPrefix(rest, ",") && !strings.HasSuffix(before, ",") && !strings.HasSuffix(before, "!") {
			return before, rest
		}
		from = at + 1
	}
}

// part is commands, and the hosts that they are for where it names others
// than the part before it.
type part struct{ hosts, commands string }

// parts parts "COMMANDS : HOSTS = COMMANDS". The colon behind a tag, such as
// NOPASSWD:, has no "=" of its own behind it before the next colon.
func parts(text string) []part {
	var out []part
	hosts, from := "", 0
	for at := 0; ; {
		colon := outside(text[at:], ":")
		if colon < 0 {
			return append(out, part{hosts, strings.TrimSpace(text[from:])})
		}
		at += colon
		equals := outside(text[at+1:], "=")
		next := outside(text[at+1:], ":(/")
		if equals < 0 || next >= 0 && next < equals {
			at++
			continue
		}
		out = append(out, part{hosts, strings.TrimSpace(text[from:at])})
		hosts = strings.TrimSpace(text[at+1 : at+1+equals])
		from = at + 1 + equals + 1
		at = from
	}
}
