package resource

import (
	"errors"
	"slices"
	"strings"
)

// fresh is a new line with all words.
func (l WordList) fresh() string {
	return l.Name + `="` + strings.Join(l.missing(nil), " ") + `"`
}

// names says that a line sets this list, well or badly.
func (l WordList) names(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, nssSpace), l.Name)
	return ok && (rest == "" || !isListName(rest[0]))
}

func isListName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// value is where the words of a line begin and end. Whatever else the line has
// but blanks and a comment is an error.
func (l WordList) value(text string) (from, to int, err error) {
	rest := strings.TrimLeft(text, nssSpace)[len(l.Name):]
	rest, assigned := strings.CutPrefix(strings.TrimLeft(rest, nssSpace), "=")
	rest, quoted := strings.CutPrefix(strings.TrimLeft(rest, nssSpace), `"`)
	if !assigned || !quoted {
		return 0, 0, errors.New(`want ` + l.Name + ` = "WORD WORD"`)
	}
	words, tail, ended := strings.Cut(rest, `"`)
	from = len(text) - len(rest)
	switch tail = strings.TrimLeft(tail, nssSpace); {
	case !ended:
		return 0, 0, errors.New("the quote is not closed")
	case tail != "" && tail[0] != '#':
		return 0, 0, errors.New("something follows the closing quote")
	}
	return from, from + len(words), nil
}

// read is the words of a line.
func (l WordList) read(text string) ([]string, error) {
	from, to, err := l.value(text)
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(text[from:to], isListSpace), nil
}

func isListSpace(r rune) bool { return strings.ContainsRune(nssSpace, r) }

func (l WordList) same(a, b string) bool {
	return a == b || l.Fold && strings.EqualFold(a, b)
}

// missing are the words that are not among these, each once.
func (l WordList) missing(among []string) []string {
	var out []string
	for _, w := range l.Words {
		is := func(o string) bool { return l.same(w, o) }
		if !slices.ContainsFunc(among, is) && !slices.ContainsFunc(out, is) {
			out = append(out, w)
		}
	}
	return out
}

// added are the words that Apply puts into a line like this; "" is no line.
func (l WordList) added(text string) []string {
	if text == "" {
		return l.missing(nil)
	}
	words, _ := l.read(text)
	return l.missing(words)
}

// with is a line with all words in it: as it is where it has them.
func (l WordList) with(text string) string {
	from, to, err := l.value(text)
	if err != nil {
		return text
	}
	more := strings.Join(l.added(text), " ")
	words := strings.TrimRight(text[from:to], nssSpace)
	switch {
	case more == "":
		return text
	case words != "":
		more = " " + more
	}
	return text[:from] + words + more + text[to:]
}

// without is a line without these words, and without the blanks before each.
func (l WordList) without(text string, words []string) string {
	from, to, err := l.value(text)
	if err != nil {
		return text
	}
	rest := text[from:to]
	kept, first := "", rest[:len(rest)-len(strings.TrimLeft(rest, nssSpace))]
	for rest != "" {
		word := strings.TrimLeft(rest, nssSpace)
		gap := rest[:len(rest)-len(word)]
		if end := strings.IndexFunc(word, isListSpace); end >= 0 {
			word = word[:end]
		}
		rest = rest[len(gap)+len(word):]
		switch {
		case slices.ContainsFunc(words, func(w string) bool { return l.same(w, word) }):
		case kept == "":
			kept = first + word
		default:
			kept += gap + word
		}
	}
	return text[:from] + kept + text[to:]
}
