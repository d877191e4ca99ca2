package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Settings sets keys of one section of a file of "key = value" lines, as
// autofs.conf is: what stands before the first section belongs to this one. A
// line that says so already stays byte for byte, as does everything else. A
// file that is absent or empty stays so: its program's package brings it.
type Settings struct {
	Section string    `json:"section"` // "autofs"
	Values  []Setting `json:"values"`
}

// Setting is one key and its value.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Kind is "settings".
func (Settings) Kind() string { return "settings" }

// Describe is the lines as they will stand in the file.
func (e Settings) Describe() string {
	text := "in the section " + e.Section + ", where the file is there:\n"
	for _, s := range e.Values {
		text += s.line() + "\n"
	}
	return text
}

// Apply makes the edit. Every line of a key is set, whichever of them counts.
// A key that has no line gets one at the head of the section, or of the file.
func (e Settings) Apply(old []byte) ([]byte, error) {
	if err := e.validate(); err != nil || len(old) == 0 {
		return nil, err
	}
	lines := splitText(old)
	at := e.of(lines)
	for i := range lines {
		if s := at.setting[i]; s != nil {
			lines[i].text = s.set(lines[i].text)
		}
	}
	var fresh []textLine
	for _, s := range e.Values {
		if !slices.ContainsFunc(at.setting, func(o *Setting) bool { return o != nil && o.Key == s.Key }) {
			fresh = append(fresh, textLine{s.line(), lineEnd(lines)})
		}
	}
	if len(fresh) > 0 {
		closeLast(lines[:at.head])
		lines = slices.Insert(lines, at.head, fresh...)
	}
	return joinText(lines), nil
}

// Undo puts back the image's own line where the present one is what Apply made
// of it, and takes out lines that Apply added. A line that somebody has changed
// since stays.
func (e Settings) Undo(now, original []byte) ([]byte, error) {
	lines, own := splitText(now), splitText(original)
	at, was := e.of(lines), e.of(own)
	used := make([]bool, len(own))
	var out []textLine
	lastGone := false
	for i, l := range lines {
		s := at.setting[i]
		lastGone = false
		if s != nil && !e.restored(&l.text, s, own, was, used) &&
			l.text == s.line() && !slices.ContainsFunc(was.setting, func(o *Setting) bool { return o != nil && o.Key == s.Key }) {
			lastGone = true
			continue
		}
		out = append(out, l)
	}
	if lastGone {
		reopenLast(out, original)
	}
	return joinText(out), nil
}

// restored finds the image's own line. Two may have become alike, so each is
// used once, in order.
func (e Settings) restored(text *string, s *Setting, own []textLine, was sectionLines, used []bool) bool {
	for j, o := range own {
		if !used[j] && was.setting[j] != nil && was.setting[j].Key == s.Key && s.set(o.text) == *text {
			used[j], *text = true, o.text
			return true
		}
	}
	return false
}

// sectionLines is where the section's settings stand.
type sectionLines struct {
	setting []*Setting // by line; nil where it is none of ours
	head    int        // where a new line goes
}

func (e Settings) of(lines []textLine) sectionLines {
	at := sectionLines{setting: make([]*Setting, len(lines))}
	in, met := true, false
	for i, l := range lines {
		text := strings.TrimSpace(l.text)
		if strings.HasPrefix(text, "[") {
			name, _, _ := strings.Cut(text[1:], "]")
			in = strings.EqualFold(strings.TrimSpace(name), e.Section)
			if in && !met {
				at.head, met = i+1, true
			}
			continue
		}
		key, _, is := strings.Cut(text, "=")
		for j := range e.Values {
			if s := &e.Values[j]; in && is && strings.EqualFold(strings.TrimSpace(key), s.Key) {
				at.setting[i] = s
			}
		}
	}
	return at
}

func (s Setting) line() string { return s.Key + " = " + s.Value }

// set is a line of this key with the value.
func (s Setting) set(text string) string {
	_, value, _ := strings.Cut(text, "=")
	if strings.TrimSpace(value) == s.Value {
		return text
	}
	return text[:len(text)-len(strings.TrimLeft(text, " \t"))] + s.line()
}

func (e Settings) validate() error {
	const small = "abcdefghijklmnopqrstuvwxyz0123456789_"
	var errs []error
	if e.Section == "" || strings.Trim(e.Section, small) != "" {
		errs = append(errs, fmt.Errorf("%q is no name of a section: small letters, digits and _ are wanted", e.Section))
	}
	for i, s := range e.Values {
		if s.Key == "" || strings.Trim(s.Key, small) != "" || slices.ContainsFunc(e.Values[:i], func(o Setting) bool { return o.Key == s.Key }) {
			errs = append(errs, fmt.Errorf("%q is no key that this edit can be asked for, or it is asked for twice", s.Key))
		}
		if s.Value == "" || strings.TrimSpace(s.Value) != s.Value || strings.ContainsAny(s.Value, "\n\r\x00#\\") {
			errs = append(errs, fmt.Errorf("%q is no value for %s: it is empty, or holds what ends a line", s.Value, s.Key))
		}
	}
	return errors.Join(errs...)
}
