package logins

import (
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// passwdEntry is a line of /etc/passwd.
type passwdEntry struct {
	name        string
	uid, gid    int
	home, shell string
	at          cite.Place
}

// logsIn says whether somebody may come in as this user: daemons have a
// shell that only says no.
func (a passwdEntry) logsIn() bool {
	return !strings.HasSuffix(a.shell, "/nologin") && !strings.HasSuffix(a.shell, "/false")
}

// parsePasswd reads it; of a name that is here twice the first line counts.
func parsePasswd(text string) ([]passwdEntry, remarks) {
	var out []passwdEntry
	var notes remarks
	seen := map[string]bool{}
	for _, l := range textLines(passwdPath, text, "#") {
		f := strings.Split(l.text, ":")
		if strings.HasPrefix(l.text, "+") || strings.HasPrefix(l.text, "-") {
			notes.add(l.at, "a line for nss_compat, whose time is not counted")
			continue
		}
		uid, gid := -1, -1
		if len(f) == 7 {
			uid, gid = decimal(f[2]), decimal(f[3])
		}
		if uid < 0 || gid < 0 || f[0] == "" {
			notes.add(l.at, "no account: passed over")
			continue
		}
		if !seen[f[0]] {
			out = append(out, passwdEntry{name: f[0], uid: uid, gid: gid, home: f[5], shell: f[6], at: l.at})
		}
		seen[f[0]] = true
	}
	return out, notes
}

// groupMember is a group in whose line a user stands as a member.
type groupMember struct {
	gid int
	at  cite.Place
}

// parseGroup is where each user stands as a member.
func parseGroup(text string) map[string][]groupMember {
	members := map[string][]groupMember{}
	for _, l := range textLines(groupPath, text, "#") {
		f := strings.Split(l.text, ":")
		if len(f) != 4 || decimal(f[2]) < 0 {
			continue
		}
		for _, m := range strings.Split(f[3], ",") {
			if m = strings.TrimSpace(m); m != "" {
				members[m] = append(members[m], groupMember{decimal(f[2]), l.at})
			}
		}
	}
	return members
}

func decimal(s string) int {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return -1
	}
	return int(n)
}
