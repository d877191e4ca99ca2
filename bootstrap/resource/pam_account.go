package resource

import (
	"slices"
	"strings"
)

// guardLine lets a local user jump over the next module.
const guardLine = "account\t[success=1 default=ignore]\tpam_localuser.so"

// unguarded is the lines, counted from 0, at which PAM's account phase asks the
// directory for local users as well: a pam_ldap with no pam_localuser before
// it that jumps over it or ends the phase.
//
// The Debian package has it ask with minimum_uid=1000, which catches the cloud
// images' own user, and whether a uid is below it is not looked at: users are
// made later, too.
func unguarded(text string) []int {
	var open []int
	jump, ended := 0, false // modules that a local user jumps over from here; is through
	for i, line := range strings.Split(text, "\n") {
		kind, control, module := pamWords(line)
		if kind != "account" {
			continue
		}
		over := jump > 0
		jump = max(0, jump-1)
		switch module {
		case "pam_localuser.so":
			switch {
			case over:
			case control == "sufficient":
				ended = true
			case slices.Contains(strings.Fields(strings.Trim(control, "[]")), "success=1"):
				jump = 1
			}
		case "pam_ldap.so":
			if !over && !ended {
				open = append(open, i)
			}
		}
	}
	return open
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
