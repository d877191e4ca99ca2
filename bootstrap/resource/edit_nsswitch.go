package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NSSwitch puts a directory source behind the local files in nsswitch.conf.
//
// For each of Databases, local accounts answer first: "files" (or "compat",
// which reads the same files and heeds their exclusions) stands before Source.
// A Source that is missing goes behind it, and behind what else this machine
// answers by itself (systemd's dynamic users must not wait for a dead server);
// one that stands before it moves there with its actions. A line without a
// local source gets "files" first. All other sources stay where they are.
//
// A line that is so already stays byte for byte. Where a database has several
// lines all are edited: glibc before 2.34 heeds the first, since then the last.
// One that has none gets a line, since glibc's default asks no directory.
type NSSwitch struct {
	Source     string   `json:"source"`               // "ldap", "sss"
	Databases  []string `json:"databases"`            // "passwd", "shadow", "group"
	Initgroups bool     `json:"initgroups,omitempty"` // initgroups is exactly: files Source
}

const (
	nssLocal      = "files"
	nssInitgroups = "initgroups"
)

// Kind is "nsswitch".
func (NSSwitch) Kind() string { return "nsswitch" }

// Describe says what each line will hold.
func (e NSSwitch) Describe() string {
	text := strings.Join(e.Databases, ", ") + ": files, and what else this machine answers, before " + e.Source + "\n"
	if e.Initgroups {
		text += "initgroups: exactly files " + e.Source + "\n"
	}
	return text
}

// Apply makes the edit. A line that cannot be read, or that keeps Source from
// ever being asked, is an error that names the line, and nothing is edited.
func (e NSSwitch) Apply(old []byte) ([]byte, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	lines := splitText(old)
	var errs []error
	for i, l := range lines {
		text, err := e.line(l.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d, %q: %w", i+1, l.text, err))
		}
		lines[i].text = text
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, db := range e.all() {
		if !hasNSS(lines, db) {
			lines = e.add(lines, db)
		}
	}
	return joinText(lines), nil
}

// all are the databases that the edit is about.
func (e NSSwitch) all() []string {
	if e.Initgroups {
		return append(slices.Clone(e.Databases), nssInitgroups)
	}
	return e.Databases
}

func isNSSWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func (e NSSwitch) validate() error {
	var errs []error
	if !isNSSWord(e.Source) || e.Source == nssLocal || e.Source == "compat" {
		errs = append(errs, fmt.Errorf("%q is no name of a directory source", e.Source))
	}
	for i, db := range e.Databases {
		if !isNSSWord(db) || db == nssInitgroups || slices.Contains(e.Databases[:i], db) {
			errs = append(errs, fmt.Errorf("%q is no database that this edit can be asked for, or it is asked for twice", db))
		}
	}
	return errors.Join(errs...)
}

// line is one line with the edit made.
func (e NSSwitch) line(text string) (string, error) {
	l := nssName(text)
	switch {
	case !slices.Contains(e.all(), l.name):
		return text, nil
	case l.alone:
		// Whatever were written here would be wrong for one of the two.
		return text, errors.New("glibc before 2.34 passes over a name alone, later ones find no source there: delete the line, or give it sources")
	case l.name == nssInitgroups:
		return e.exactly(text), nil
	}
	return e.behindLocal(text)
}

// exactly replaces all sources, and with them what nobody could read.
func (e NSSwitch) exactly(text string) string {
	l, err := parseNSS(text)
	if err == nil && slices.Equal(sources(text, l), []string{nssLocal, e.Source}) {
		return text
	}
	rest := strings.TrimRight(text[l.value:l.end], nssSpace)
	after := text[l.value+len(rest):]
	return text[:l.value] + gap(text[:l.value]) + nssLocal + " " + e.Source + lead(after)
}

// sources are a line's sources with their actions, as they are written.
func sources(text string, l nssLine) []string {
	var out []string
	for _, item := range l.items {
		out = append(out, text[item.from:item.to])
	}
	return out
}

func (e NSSwitch) behindLocal(text string) (string, error) {
	l, err := parseNSS(text)
	if err != nil {
		return text, fmt.Errorf("this cannot be read as sources and actions: %w; mend that line", err)
	}
	local := slices.IndexFunc(l.items, isLocal)
	if local < 0 {
		text = text[:l.value] + gap(text[:l.value]) + nssLocal + lead(text[l.value:])
		return e.behindLocal(text)
	}
	moved := e.Source
	for i := local - 1; i >= 0; i-- {
		if item := l.items[i]; item.name == e.Source {
			moved = text[item.from:item.to]
			text = text[:item.from] + text[l.items[i+1].from:]
		}
	}
	if l, err = parseNSS(text); err != nil {
		return text, err
	}
	at := slices.IndexFunc(l.items, func(item nssItem) bool { return item.name == e.Source })
	if at < 0 {
		last := behind(l.items, slices.IndexFunc(l.items, isLocal))
		at = last + 1
		text = text[:l.items[last].to] + " " + moved + lead(text[l.items[last].to:])
	}
	return text, reachable(text, l.items[:at], e.Source)
}

// onMachine are the sources that this machine answers by itself, at once.
var onMachine = []string{nssLocal, "compat", "systemd", "mymachines", "altfiles", "extrausers", "db"}

// behind is the source after which the directory goes: the local one and those
// on this machine that follow it. Where a local answer is merged with the next
// source's, the directory goes after the last that is merged, or every local
// group would be asked of it too.
func behind(items []nssItem, local int) int {
	for local+1 < len(items) {
		next := items[local+1]
		if !items[local].goesOn && (next.ends || !slices.Contains(onMachine, next.name)) {
			break
		}
		local++
	}
	return local
}

func reachable(text string, before []nssItem, source string) error {
	for _, item := range before {
		if item.ends {
			return fmt.Errorf("%s keeps %s from ever being asked: take that action out, or do without the directory for this database",
				text[item.from:item.to], source)
		}
	}
	return nil
}

func isLocal(item nssItem) bool { return item.name == nssLocal || item.name == "compat" }

// gap is what must stand between a line's head and its first source.
func gap(head string) string {
	if head == "" || strings.ContainsAny(head[len(head)-1:], nssSpace) {
		return ""
	}
	return " "
}

// lead is the rest of a line after a word was put before it.
func lead(rest string) string {
	if rest == "" || strings.ContainsAny(rest[:1], nssSpace) {
		return rest
	}
	return " " + rest
}

func hasNSS(lines []textLine, db string) bool {
	return slices.ContainsFunc(lines, func(l textLine) bool { return nssName(l.text).name == db })
}

// add puts a new line behind the last of the databases that belong together,
// in that line's layout, or at the end of the file.
func (e NSSwitch) add(lines []textLine, db string) []textLine {
	beside := e.Databases
	if db == nssInitgroups && hasNSS(lines, "group") {
		beside = []string{"group"}
	}
	at, head := len(lines), db+": "
	if at > 0 && lines[at-1].end == "" && nssName(lines[at-1].text).alone {
		at-- // glibc passes over that name only as long as no line follows it
	}
	for i, l := range lines {
		if like := nssName(l.text); slices.Contains(beside, like.name) {
			at, head = i+1, headLike(db, l.text[:like.value])
		}
	}
	fresh := textLine{head + nssLocal + " " + e.Source, lineEnd(lines)}
	closeLast(lines[:at])
	return slices.Insert(lines, at, fresh)
}

// headLike is "db:" and as much white space as its neighbour has, in columns.
func headLike(db, neighbour string) string {
	if strings.HasSuffix(neighbour, "\t") {
		return db + ":\t"
	}
	return db + ":" + strings.Repeat(" ", max(1, len(neighbour)-len(db)-1))
}
