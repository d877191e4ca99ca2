package facts

import (
	"fmt"
	"path"
	"strings"
)

// Sudoers is the rules of sudo as it reads them: the lines of /etc/sudoers with
// those of the files that it includes in their places.
type Sudoers struct {
	There   bool // /etc/sudoers is there
	Lines   []SudoersLine
	Unread  []string // what sudo or this program does not read, and why
	maximum bool
}

// SudoersLine is a line without its continuation, blanks at its ends left out.
type SudoersLine struct {
	File string
	Line int
	Text string
}

const (
	sudoersPath  = "/etc/sudoers"
	mostSudoers  = 5000 // lines
	deepSudoers  = 16   // files that include each other
	sudoersLimit = "more lines, or deeper files, than are read"
)

func (r *accountReader) sudoers(hostname string) Sudoers {
	var s Sudoers
	host, _, _ := strings.Cut(strings.TrimSpace(hostname), ".")
	s.There = r.sudoersFile(&s, sudoersPath, host, 0)
	return s
}

// sudoersFile adds a file's lines. sudo reads none that others than root may
// write.
func (r *accountReader) sudoersFile(s *Sudoers, p, host string, deep int) (there bool) {
	w := r.walk(p)
	end := w.End()
	switch {
	case w.Missing != "":
		return false
	case !end.Exists:
		s.unread("%s: %s%s", p, w.Remote, w.Unread)
		return true
	case deep > deepSudoers:
		s.unread("%s: %s", p, sudoersLimit)
		return true
	case !end.Mode.IsRegular() || r.h.Owners() && end.UID != 0 || end.Mode&0o002 != 0 || end.Mode&0o020 != 0 && end.GID != 0:
		s.unread("%s: owner %d, mode %04o: sudo reads only what root owns and nobody else may write", p, end.UID, end.Mode.Perm())
		return true
	}
	text, ok := r.text(end.Path)
	if !ok {
		s.unread("%s: it cannot be read", p)
		return true
	}
	for _, l := range joinSudoers(p, text) {
		if len(s.Lines) >= mostSudoers {
			if !s.maximum {
				s.unread("%s: %s", p, sudoersLimit)
			}
			s.maximum = true
			return true
		}
		if what, name, ok := includes(l.Text); ok {
			r.sudoersInclude(s, what, sudoersName(name, p, host), host, deep)
			continue
		}
		s.Lines = append(s.Lines, l)
	}
	return true
}

func (s *Sudoers) unread(format string, args ...any) {
	s.Unread = append(s.Unread, fmt.Sprintf(format, args...))
}

// sudoersInclude reads a file, or those of a folder whose names have no dot and
// no ~ at their end: so sudo leaves packages' left-overs and editors' copies.
func (r *accountReader) sudoersInclude(s *Sudoers, what, p, host string, deep int) {
	if what == "include" {
		if !r.sudoersFile(s, p, host, deep+1) {
			s.unread("%s: it is included and not there", p)
		}
		return
	}
	w := r.walk(p)
	if w.Missing != "" {
		return
	}
	if !w.End().Exists {
		s.unread("%s: %s%s", p, w.Remote, w.Unread)
		return
	}
	names, err := r.h.ReadDir(w.End().Path)
	if err != nil {
		s.unread("%v", err)
	}
	for _, n := range names {
		if !strings.Contains(n, ".") && !strings.HasSuffix(n, "~") {
			r.sudoersFile(s, path.Join(w.End().Path, n), host, deep+1)
		}
	}
}

// includes tells "@include NAME" and its like, with the older "#".
func includes(line string) (what, name string, ok bool) {
	if !strings.HasPrefix(line, "@include") && !strings.HasPrefix(line, "#include") {
		return "", "", false
	}
	f := strings.Fields(line[1:])
	if len(f) < 2 || f[0] != "include" && f[0] != "includedir" {
		return "", "", false
	}
	return f[0], strings.Trim(strings.TrimSpace(strings.TrimPrefix(line[1:], f[0])), `"`), true
}

// sudoersName is an included path: %h is the short host name, and what is not
// absolute lies beside the file that includes it.
func sudoersName(name, from, host string) string {
	name = strings.ReplaceAll(name, "%h", host)
	if strings.HasPrefix(name, "/") {
		return name
	}
	return path.Join(path.Dir(from), name)
}

// joinSudoers joins lines that go on after a backslash. A comment ends with
// its line.
func joinSudoers(p, text string) []SudoersLine {
	var out []SudoersLine
	open, n := false, 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		rest, goesOn := strings.CutSuffix(line, "\\")
		if goesOn && (strings.HasPrefix(line, "#") || strings.Contains(line, " # ")) {
			rest, goesOn = line, false
		}
		if open {
			out[len(out)-1].Text = strings.TrimSpace(out[len(out)-1].Text + " " + rest)
		} else {
			out = append(out, SudoersLine{p, n, strings.TrimSpace(rest)})
		}
		open = goesOn
	}
	kept := out[:0]
	for _, l := range out {
		if l.Text != "" {
			kept = append(kept, l)
		}
	}
	return kept
}
