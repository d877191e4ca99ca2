package logins

import (
	"slices"
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// Where a service's stack stands. libpam looks into the distribution's own
// folder for what the machine's has not, which on Debian 12 is systemd-user.
const (
	pamFolder     = "/etc/pam.d/"
	pamDistFolder = "/usr/lib/pam.d/"
)

// pamFile is where the stack of a service is read from, if anywhere.
func pamFile(files map[string]string, service string) (path string, there bool) {
	for _, folder := range []string{pamFolder, pamDistFolder} {
		if _, there := files[folder+service]; there {
			return folder + service, true
		}
	}
	return pamFolder + service, false
}

// pamLine is one module of a stack, or another stack in its place.
type pamLine struct {
	at      cite.Place
	control pamControl
	module  string // without folder and .so
	args    []string
	text    string
	below   []pamLine // of a substack
	sub     bool
}

// pamControl is what comes after each result of a module: "ok", "done", "bad",
// "die", "ignore", "reset", or the number of modules to leave out.
type pamControl map[string]string

func (c pamControl) after(result string) string {
	if a, ok := c[result]; ok {
		return a
	}
	if a, ok := c["default"]; ok {
		return a
	}
	return "bad"
}

// The four words, as pam.conf(5) spells them out.
var pamWords = map[string]pamControl{
	"required":   {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
	"requisite":  {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
	"sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
	"optional":   {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}

// pamReader reads one service's stack of one phase, following include,
// substack and @include.
type pamReader struct {
	files map[string]string
	phase string // auth, account, session
	notes remarks
	open  []string // the files that are being read, each included by the one before
	read  int      // lines
}

// maxPAMLines is more than any stack has: files that include each other many
// times over would be read for ever.
const maxPAMLines = 500

// parsePAM is the stack of a service, of "other" where it has no file.
func parsePAM(files map[string]string, service, phase string) ([]pamLine, remarks) {
	r := &pamReader{files: files, phase: phase}
	if _, there := pamFile(files, service); !there {
		service = "other"
	}
	out := r.stack(service)
	if r.read > maxPAMLines {
		r.notes.add(cite.Place{File: pamFolder + service}, "more than %d lines: the rest is passed over", maxPAMLines)
	}
	return out, r.notes
}

func (r *pamReader) stack(service string) []pamLine {
	path, there := pamFile(r.files, strings.TrimPrefix(service, pamFolder))
	if !there {
		return nil
	}
	if slices.Contains(r.open, path) {
		r.notes.add(cite.Place{File: path}, "includes itself: passed over")
		return nil
	}
	r.open = append(r.open, path)
	defer func() { r.open = r.open[:len(r.open)-1] }()

	var out []pamLine
	for _, l := range joinedLines(path, r.files[path]) {
		if r.read++; r.read > maxPAMLines {
			return out
		}
		out = append(out, r.line(l)...)
	}
	return out
}

// line is the modules that one line stands for.
func (r *pamReader) line(l textLine) []pamLine {
	words := pamFields(l.text)
	if words[0] == "@include" {
		if len(words) < 2 {
			r.notes.add(l.at, "includes nothing: passed over")
			return nil
		}
		return r.stack(words[1])
	}
	kind := strings.ToLower(strings.TrimPrefix(words[0], "-"))
	if len(words) < 3 {
		r.notes.add(l.at, "no module: passed over")
		return nil
	}
	if kind != r.phase {
		return nil
	}
	switch control := strings.ToLower(words[1]); {
	case control == "include":
		return r.stack(words[2])
	case control == "substack":
		return []pamLine{{at: l.at, text: l.text, sub: true, below: r.stack(words[2])}}
	case pamWords[control] != nil:
		return []pamLine{newPAMLine(l, pamWords[control], words[2:])}
	case strings.HasPrefix(control, "["):
		return []pamLine{newPAMLine(l, pamActions(control), words[2:])}
	default:
		r.notes.add(l.at, "control %s is not known: taken as required", cite.Quote(words[1]))
		return []pamLine{newPAMLine(l, pamWords["required"], words[2:])}
	}
}

func newPAMLine(l textLine, c pamControl, words []string) pamLine {
	module := words[0][strings.LastIndex(words[0], "/")+1:]
	return pamLine{at: l.at, control: c, module: strings.TrimSuffix(module, ".so"), args: words[1:], text: l.text}
}

// pamFields parts a line at blanks; what stands between brackets is one word.
func pamFields(line string) []string {
	var out []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := strings.IndexByte(line, ' ')
		if line[0] == '[' {
			end = strings.IndexByte(line, ']') + 1
			if end == 0 {
				end = len(line)
			}
		}
		if end <= 0 {
			end = len(line)
		}
		out = append(out, line[:end])
		line = line[end:]
	}
	return out
}

// pamActions reads "[success=1 default=ignore]".
func pamActions(text string) pamControl {
	c := pamControl{}
	for _, word := range strings.Fields(strings.Trim(text, "[]")) {
		if result, action, ok := strings.Cut(word, "="); ok {
			c[result] = action
		}
	}
	return c
}

// jump is the number of modules that an action leaves out.
func jump(action string) int {
	n, err := strconv.Atoi(action)
	if err != nil {
		return 0
	}
	return min(max(n, 0), maxSetting)
}

// has says whether a module is given this argument.
func (l pamLine) has(arg string) bool {
	for _, a := range l.args {
		if a == arg {
			return true
		}
	}
	return false
}

// value is what an argument "name=value" is given.
func (l pamLine) value(name string) (string, bool) {
	for _, a := range l.args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v, true
		}
	}
	return "", false
}
