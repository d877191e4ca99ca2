package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Words adds words to lists that others fill too: lines NAME = "WORD WORD" as
// in updatedb.conf. What is in a list stays in it, in its order and its place;
// only words that are missing are added, at the end. A list that the file does
// not have gets a line. A file that is absent or empty stays so: its program's
// package brings it, and would stop at one that somebody else had made.
type Words struct {
	Lists []WordList `json:"lists"`
}

// WordList is what one of the lists must hold.
type WordList struct {
	Name  string   `json:"name"`           // "PRUNEFS"
	Words []string `json:"words"`          // without blanks and quotes
	Fold  bool     `json:"fold,omitempty"` // NFS is nfs
}

// Kind is "words".
func (Words) Kind() string { return "words" }

// Describe says what is added, where it is not there.
func (e Words) Describe() string {
	text := ""
	for _, l := range e.Lists {
		text += l.Name + " also has: " + strings.Join(l.Words, " ") + "\n"
	}
	return text + "where the file is there\n"
}

// Apply makes the edit. A line of one of the lists that cannot be read, or a
// second one, is an error that names it: updatedb itself would not run on it.
func (e Words) Apply(old []byte) ([]byte, error) {
	if err := e.validate(); err != nil || len(old) == 0 {
		return nil, err
	}
	lines := splitText(old)
	at, err := e.find(lines)
	if err != nil {
		return nil, err
	}
	for _, l := range e.Lists {
		switch i, there := at[l.Name]; {
		case there:
			lines[i].text = l.with(lines[i].text)
		case len(l.Words) > 0:
			closeLast(lines)
			lines = append(lines, textLine{l.fresh(), lineEnd(lines)})
		}
	}
	return joinText(lines), nil
}

// Undo takes out the words that the image's own list did not have. A line that
// is still what Apply made of the image's own becomes that one again; one that
// Apply added goes, unless somebody has put more into it.
func (e Words) Undo(now, original []byte) ([]byte, error) {
	lines, own := splitText(now), splitText(original)
	at, err := e.find(lines)
	if err != nil {
		return nil, err
	}
	was, err := e.find(own)
	if err != nil {
		was = nil // Apply refuses such a file, so that none of its words is known
	}
	var gone []int
	for _, l := range e.Lists {
		i, there := at[l.Name]
		if !there {
			continue
		}
		before, had := "", false
		if j, ok := was[l.Name]; ok {
			before, had = own[j].text, true
		}
		switch {
		case had && l.with(before) == lines[i].text:
			lines[i].text = before
		default:
			lines[i].text = l.without(lines[i].text, l.added(before))
			if words, _ := l.read(lines[i].text); !had && len(words) == 0 {
				gone = append(gone, i)
			}
		}
	}
	lastGone := slices.Contains(gone, len(lines)-1)
	slices.Sort(gone)
	for _, i := range slices.Backward(gone) {
		lines = slices.Delete(lines, i, i+1)
	}
	if lastGone {
		reopenLast(lines, original)
	}
	return joinText(lines), nil
}

// find is the line of each list.
func (e Words) find(lines []textLine) (map[string]int, error) {
	at := map[string]int{}
	var errs []error
	for i, line := range lines {
		for _, l := range e.Lists {
			if !l.names(line.text) {
				continue
			}
			if first, twice := at[l.Name]; twice {
				errs = append(errs, fmt.Errorf("line %d, %q: %s is set in line %d already, and updatedb takes no second one: delete one of the two", i+1, line.text, l.Name, first+1))
			}
			if _, _, err := l.value(line.text); err != nil {
				errs = append(errs, fmt.Errorf("line %d, %q: %w; mend that line", i+1, line.text, err))
			}
			at[l.Name] = i
		}
	}
	return at, errors.Join(errs...)
}

func (e Words) validate() error {
	var errs []error
	for i, l := range e.Lists {
		if l.Name == "" || strings.Trim(l.Name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
			errs = append(errs, fmt.Errorf("%q is no name of a list: capital letters and _ are wanted", l.Name))
		}
		if slices.ContainsFunc(e.Lists[:i], func(o WordList) bool { return o.Name == l.Name }) {
			errs = append(errs, fmt.Errorf("the list %s is asked for twice", l.Name))
		}
		for _, w := range l.Words {
			if w == "" || strings.ContainsAny(w, nssSpace+"\"\x00") {
				errs = append(errs, fmt.Errorf("%q is no word for %s: it is empty, or holds a blank, a quote or a zero byte", w, l.Name))
			}
		}
	}
	return errors.Join(errs...)
}
