package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
)

// verdict is the answer to "does this match?". Unknown is never no.
type verdict int

const (
	matchNo verdict = iota
	matchYes
	matchUnknown
)

// matched is how one role file's match fared on a machine.
type matched struct {
	role    *roleDoc
	verdict verdict
	keys    int          // how many keys it gives: more win
	because []string     // what matched, in words
	unknown *UnknownFact // what a matchUnknown hangs on
	err     *Error       // the name to match could not be made
}

// matchRole asks all that a role file's match asks. One key that certainly
// does not match settles it, whatever is unknown of the others.
func matchRole(r *roleDoc, f facts.Facts, name func(*roleDoc) (facts.Fact[string], *Error)) matched {
	m := matched{role: r}
	no := false
	for _, l := range r.match {
		m.keys++
		v, because, unknown := matchKey(l, f, func() facts.Fact[string] {
			n, err := name(r)
			if err != nil {
				m.err = err
			}
			return n
		})
		switch v {
		case matchNo:
			no = true
		case matchYes:
			m.because = append(m.because, because)
		case matchUnknown:
			unknown.For = fmt.Sprintf("%s at %s", l.path, l.at)
			m.unknown = unknown
		}
	}
	switch {
	case no || m.keys == 0:
		m.verdict, m.err = matchNo, nil
	case m.unknown != nil:
		m.verdict = matchUnknown
	default:
		m.verdict = matchYes
	}
	return m
}

// matchKey asks one key of a match section.
func matchKey(l leaf, f facts.Facts, name func() facts.Fact[string]) (verdict, string, *UnknownFact) {
	switch {
	case l.path == "match.security_groups":
		groups := f.Instance.SecurityGroups
		if !groups.IsKnown() && !groups.IsAbsent() {
			return matchUnknown, "", unknownFact("security groups", "", groups)
		}
		return anyMatches(l, "security group ", groups.Or(nil))
	case l.path == "match.hostnames":
		n := name()
		if !n.IsKnown() && !n.IsAbsent() {
			return matchUnknown, "", unknownFact("host name", "", n)
		}
		full, ok := n.Get()
		if !ok {
			return matchNo, "", nil
		}
		full = strings.ToLower(full)
		short, _, _ := strings.Cut(full, ".")
		return anyMatches(l, "host name ", []string{full, short})
	default:
		tag := strings.TrimPrefix(l.path, "match.tags.")
		value, ok := f.Instance.Tags.Or(nil)[tag]
		if !ok {
			return matchNo, "", nil
		}
		return anyMatches(l, "tag "+tag+"=", []string{value})
	}
}

// anyMatches is yes where one pattern of the key matches one of the texts.
func anyMatches(l leaf, what string, texts []string) (verdict, string, *UnknownFact) {
	for _, it := range l.value.items {
		pattern := it.text
		if l.path == "match.hostnames" {
			pattern = strings.ToLower(pattern) // host names know no case
		}
		for _, text := range texts {
			if ok, err := globMatch(pattern, text); err == nil && ok {
				return matchYes, what + text, nil
			}
		}
	}
	return matchNo, "", nil
}

// chooseMatch picks the role file whose match gives the most keys. nil and no
// error: none matches.
func chooseMatch(all []matched) (*matched, error) {
	best := -1
	for _, m := range all {
		if m.verdict == matchYes {
			best = max(best, m.keys)
		}
	}
	var won []matched
	for _, m := range all {
		if m.verdict == matchUnknown && m.keys >= best {
			if m.err != nil {
				return nil, Errors{m.err}
			}
			return nil, m.unknown
		}
		if m.verdict == matchYes && m.keys == best {
			won = append(won, m)
		}
	}
	switch len(won) {
	case 0:
		return nil, nil
	case 1:
		return &won[0], nil
	}
	files := make([]string, len(won))
	for i, m := range won {
		files[i] = fmt.Sprintf("%s (%s)", m.role.file, strings.Join(m.because, ", "))
	}
	slices.Sort(files)
	return nil, Errors{errorAt(won[1].role.at, "two roles match this machine equally well: %s; give one of them another key under match, or name the role in user-data",
		strings.Join(files, " and "))}
}

// sameMatch says that two role files match exactly the same machines by their
// words, so that a tie is certain.
func sameMatch(a, b *roleDoc) bool {
	if len(a.match) == 0 || len(a.match) != len(b.match) {
		return false
	}
	words := func(r *roleDoc) []string {
		var out []string
		for _, l := range r.match {
			var texts []string
			for _, it := range l.value.items {
				texts = append(texts, it.text)
			}
			slices.Sort(texts)
			out = append(out, l.path+"="+strings.Join(texts, "\x00"))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(words(a), words(b))
}
