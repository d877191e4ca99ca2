package resource

import (
	"errors"
	"fmt"
	"strings"
)

// nssLine is a line of nsswitch.conf as glibc reads it. The zero value is a
// line that names no database.
type nssLine struct {
	name  string
	value int       // where the sources begin
	end   int       // where they end: the comment, or the line's end
	items []nssItem // as far as they could be read
	alone bool      // the name stands alone, without a colon or white space
}

// nssItem is a source and the actions in brackets behind it.
type nssItem struct {
	name     string
	from, to int  // in the line, actions included
	goesOn   bool // SUCCESS=continue or merge: the next source is asked also when this one has an answer
	ends     bool // NOTFOUND=return: no source after this one is asked who is unknown here
}

// nssSpace is what C's isspace calls space.
const nssSpace = " \t\n\v\f\r"

// nssName is the database that a line is for, and where its sources stand. It
// follows glibc: white space before the name is passed over, a NUL ends the
// line as "#" does, and the colon is just one more separator.
func nssName(text string) nssLine {
	body := text
	if i := strings.IndexAny(body, "#\x00"); i >= 0 {
		body = body[:i]
	}
	from := leading(body)
	n := strings.IndexAny(body[from:], nssSpace+":")
	switch {
	case n < 0 && body == text && from < len(body):
		return nssLine{name: body[from:], value: len(body), end: len(body), alone: true}
	case n <= 0:
		return nssLine{}
	}
	rest := body[from+n:]
	at := len(body) - len(strings.TrimLeft(rest, nssSpace+":"))
	return nssLine{name: body[from : from+n], value: at, end: len(body)}
}

// parseNSS reads a line's sources. An error says what glibc would stop at.
func parseNSS(text string) (nssLine, error) {
	l := nssName(text)
	for at := l.value; ; {
		at += leading(text[at:l.end])
		if at == l.end {
			return l, nil
		}
		n := strings.IndexAny(text[at:l.end], nssSpace+"[")
		if n < 0 {
			n = l.end - at
		}
		if n == 0 {
			return l, fmt.Errorf("%q stands behind no source", text[at:l.end])
		}
		item := nssItem{name: text[at : at+n], from: at, to: at + n}
		if item.name[0] == ':' { // were it to become the first, it would be a separator
			return l, fmt.Errorf("%q is no name of a source", item.name)
		}
		at += n
		if open := at + leading(text[at:l.end]); open < l.end && text[open] == '[' {
			n := strings.IndexByte(text[open:l.end], ']')
			if n < 0 {
				return l, fmt.Errorf("%q is not closed", text[open:l.end])
			}
			at = open + n + 1
			item.to = at
			if err := item.actions(text[open+1 : at-1]); err != nil {
				return l, fmt.Errorf("%q: %w", text[open:at], err)
			}
		}
		l.items = append(l.items, item)
	}
}

// leading counts the white space that s begins with.
func leading(s string) int { return len(s) - len(strings.TrimLeft(s, nssSpace)) }

// actions reads "NOTFOUND=return !UNAVAIL=continue". The later of two that
// speak of one status wins.
func (item *nssItem) actions(text string) error {
	// glibc allows white space around "=" as well.
	words := strings.FieldsFunc(strings.ReplaceAll(text, "=", " = "), func(r rune) bool { return strings.ContainsRune(nssSpace, r) })
	if len(words) == 0 {
		return errors.New("it is empty")
	}
	for ; len(words) > 0; words = words[3:] {
		if len(words) < 3 || words[1] != "=" {
			return errors.New("want STATUS=ACTION")
		}
		status, not := strings.CutPrefix(upperASCII(words[0]), "!")
		action := upperASCII(words[2])
		switch status {
		case "SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN":
		default:
			return fmt.Errorf("no such status: %s", words[0])
		}
		switch action {
		case "RETURN", "CONTINUE", "MERGE":
		default:
			return fmt.Errorf("no such action: %s", words[2])
		}
		if (status == "SUCCESS") != not {
			item.goesOn = action != "RETURN"
		}
		if (status == "NOTFOUND") != not {
			item.ends = action == "RETURN"
		}
	}
	return nil
}

// upperASCII leaves other letters alone: some of them have capitals in ASCII.
func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
