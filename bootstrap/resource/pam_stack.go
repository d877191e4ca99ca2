package resource

import (
	"slices"
	"strconv"
	"strings"
)

// guardLine lets a local user jump over the next module.
func guardLine(phase string) string {
	return phase + "\t[success=1 default=ignore]\tpam_localuser.so"
}

// withoutGuards takes out the lines by which a local user jumps over a module.
func withoutGuards(text, phase, module string) string {
	words := func(l string) string { return strings.Join(strings.Fields(l), " ") }
	lines := strings.SplitAfter(text, "\n")
	guarded := false // the next module is the one
	for i := len(lines) - 1; i >= 0; i-- {
		if guarded && words(lines[i]) == words(guardLine(phase)) {
			lines = slices.Delete(lines, i, i+1)
			continue
		}
		if kind, _, m := pamWords(lines[i]); kind == phase {
			guarded = m == module
		}
	}
	return strings.Join(lines, "")
}

// unguarded is the lines, counted from 0, at which a phase of PAM asks the
// directory's client for local users as well: its module, with no pam_localuser
// before it that jumps over it or ends the phase.
//
// Debian's libpam-ldapd has it ask with minimum_uid=1000, which catches the
// cloud images' own user, and whether a uid is below it is not looked at: users
// are made later, too.
func unguarded(text, phase, asks string) []int {
	var open []int
	jump, ended := 0, false // modules that a local user jumps over from here; is through
	leapt := 0              // modules that he may jump over by another's result, guards among them
	for i, line := range strings.Split(text, "\n") {
		kind, control, module := pamWords(line)
		if kind != phase {
			continue
		}
		over, may := jump > 0, leapt > 0
		jump, leapt = max(0, jump-1), max(0, leapt-1)
		switch {
		case over:
		case module == "pam_localuser.so":
			ended = ended || !may && control == "sufficient"
			if n := jumpAt(control, "success"); n > 0 && !may {
				jump = n
			}
		default:
			leapt = max(leapt, jumpAt(control, ""))
			if module == asks && !ended {
				open = append(open, i)
			}
		}
	}
	return open
}

// jumpAt is how many modules a control jumps over at a result; at "", at most.
func jumpAt(control, result string) int {
	most := 0
	for _, action := range strings.Fields(strings.Trim(control, "[]")) {
		r, n, _ := strings.Cut(action, "=")
		if jump, err := strconv.Atoi(n); err == nil && (result == "" || r == result) {
			most = max(most, jump)
		}
	}
	return most
}

// pamWords parts a line of a PAM file; a control in brackets is one word, and a
// module loses its folder.
func pamWords(line string) (kind, control, module string) {
	line, _, _ = strings.Cut(line, "#")
	f := strings.Fields(line)
	if len(f) < 3 {
		return "", "", ""
	}
	kind = strings.ToLower(strings.TrimPrefix(f[0], "-"))
	at := 1
	if strings.HasPrefix(f[1], "[") {
		for at < len(f)-1 && !strings.HasSuffix(f[at], "]") {
			at++
		}
	}
	if at+1 >= len(f) {
		return kind, "", ""
	}
	control = strings.ToLower(strings.Join(f[1:at+1], " "))
	module = f[at+1]
	return kind, control, module[strings.LastIndex(module, "/")+1:]
}
