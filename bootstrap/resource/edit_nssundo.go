package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Undo takes the directory out again. A line that is still what Apply made of
// the image's own becomes that one again, order and all. From a line that
// somebody has changed since, Source alone is taken out, and only where the
// image's own did not name it. Lines that Apply added go.
func (e NSSwitch) Undo(now, original []byte) ([]byte, error) {
	own := map[string][]string{}
	for _, l := range splitText(original) {
		if name := nssName(l.text).name; slices.Contains(e.all(), name) {
			own[name] = append(own[name], l.text)
		}
	}
	used := map[string][]bool{}
	for name, lines := range own {
		used[name] = make([]bool, len(lines))
	}
	var out []textLine
	var errs []error
	lastGone := false
	for i, l := range splitText(now) {
		name := nssName(l.text).name
		lastGone = false
		switch {
		case !slices.Contains(e.all(), name):
		case e.restored(&l.text, own[name], used[name]):
		case e.added(l.text) && len(own[name]) == 0:
			lastGone = true
			continue
		case !slices.ContainsFunc(own[name], e.names):
			text, err := e.without(l.text, own[name])
			if err != nil {
				errs = append(errs, fmt.Errorf("line %d, %q: cannot take %s out: %w; mend that line", i+1, l.text, e.Source, err))
			}
			l.text = text
		}
		out = append(out, l)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if lastGone {
		reopenLast(out, original)
	}
	return joinText(out), nil
}

// restored puts the image's own line back where the present one is what Apply
// makes of it. Two may become alike, so each is used once, in order.
func (e NSSwitch) restored(text *string, own []string, used []bool) bool {
	for i, o := range own {
		if made, err := e.line(o); !used[i] && err == nil && made == *text {
			used[i], *text = true, o
			return true
		}
	}
	return false
}

// added says that a line holds what Apply puts into a new one, and no more.
func (e NSSwitch) added(text string) bool {
	l, err := parseNSS(text)
	return err == nil && l.end == len(text) && slices.Equal(sources(text, l), []string{nssLocal, e.Source})
}

// names says that a line asks Source.
func (e NSSwitch) names(text string) bool {
	l, _ := parseNSS(text) // what glibc reads of it
	return slices.ContainsFunc(l.items, func(item nssItem) bool { return item.name == e.Source })
}

// without is a line that does not ask Source. One that asked nothing else
// would leave nobody known: then the image's own stands again, or the local
// files where the image had none.
func (e NSSwitch) without(text string, own []string) (string, error) {
	l, err := parseNSS(text)
	if err != nil || !e.names(text) {
		return text, err
	}
	for i, item := range slices.Backward(l.items) {
		switch {
		case item.name != e.Source:
		case i > 0:
			// With the white space before it: that is how Apply put it there.
			text = strings.TrimRight(text[:item.from], nssSpace) + text[item.to:]
		default:
			text = text[:item.from] + strings.TrimLeft(text[item.to:], nssSpace)
		}
	}
	if l, err = parseNSS(text); err != nil || len(l.items) > 0 {
		return text, err
	}
	if len(own) > 0 {
		return own[0], nil
	}
	return text[:l.value] + gap(text[:l.value]) + nssLocal + lead(text[l.value:]), nil
}
