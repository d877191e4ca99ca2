package resource

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
)

// GroupMember puts a user into a group of /etc/group, where he is a member in
// no line of it yet: `initgroups: files` ends at files for him alone who is, and
// his own group's line does not count (nss_files/files-initgroups.c in glibc).
// A group that is not there as described is not made, and then the file stays
// as it is: what gid would be free is not for us to guess.
//
// /etc/gshadow is left alone. glibc takes members from /etc/group only, and
// grpck says in a line that the two lists differ, and calls it no error;
// `gpasswd -d` and `usermod -G` work on what is there.
type GroupMember struct {
	User  string `json:"user"`
	Group string `json:"group"`
	GID   int    `json:"gid"` // a group of the name with another number is somebody else's
	Own   int    `json:"own"` // the user's own group, by /etc/passwd
}

// Kind is "group-member".
func (GroupMember) Kind() string { return "group-member" }

// Describe says what the line will hold.
func (e GroupMember) Describe() string {
	return fmt.Sprintf("%s is a member in a line, of %s (gid %d) where of none\n", e.User, e.Group, e.GID)
}

// Apply makes the edit.
func (e GroupMember) Apply(old []byte) ([]byte, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	lines := splitText(old)
	for _, l := range lines {
		if f := groupFields(l); f != nil && f[2] != strconv.Itoa(e.Own) && slices.Contains(groupMembers(l), e.User) {
			return old, nil
		}
	}
	if e.GID == e.Own {
		return old, nil
	}
	if i := slices.IndexFunc(lines, e.is); i >= 0 {
		lines[i].text = e.with(lines[i].text)
	}
	return joinText(lines), nil
}

// Undo takes the user out again, unless the image's own file had him in that
// group. A line that is still what Apply made of the image's own becomes that
// one again; of one that others have changed since, his name alone goes.
func (e GroupMember) Undo(now, original []byte) ([]byte, error) {
	own := ""
	for _, l := range splitText(original) {
		if !e.is(l) {
			continue
		}
		if slices.Contains(groupMembers(l), e.User) {
			return now, nil
		}
		if own == "" {
			own = l.text
		}
	}
	lines := splitText(now)
	i := slices.IndexFunc(lines, func(l textLine) bool { return e.is(l) && slices.Contains(groupMembers(l), e.User) })
	switch {
	case i < 0:
	case own != "" && e.with(own) == lines[i].text:
		lines[i].text = own
	default:
		at := strings.LastIndexByte(lines[i].text, ':') + 1
		members := strings.Split(lines[i].text[at:], ",")
		members = slices.DeleteFunc(members, func(m string) bool { return strings.TrimSpace(m) == e.User })
		lines[i].text = lines[i].text[:at] + strings.Join(members, ",")
	}
	return joinText(lines), nil
}

// with is the group's line with the user at its end.
func (e GroupMember) with(text string) string {
	if !strings.HasSuffix(text, ":") && !strings.HasSuffix(text, ",") {
		text += ","
	}
	return text + e.User
}

// is says whether a line is the group's.
func (e GroupMember) is(l textLine) bool {
	f := groupFields(l)
	return f != nil && f[0] == e.Group && f[2] == strconv.Itoa(e.GID)
}

func (e GroupMember) validate() error {
	for _, name := range []string{e.User, e.Group} {
		if name == "" || strings.ContainsAny(name, ":, \t\n\v\f\r\x00") || strings.ContainsAny(name[:1], "#+-") {
			return fmt.Errorf("%q is no name that a line of /etc/group can hold", name)
		}
	}
	if e.GID <= 0 {
		return fmt.Errorf("group %s: gid %d is no group for an ordinary member", e.Group, e.GID)
	}
	return nil
}

// groupFields are a line's four; nil where glibc takes it for no group. A
// carriage return would belong to the last member's name.
func groupFields(l textLine) []string {
	f := strings.Split(l.text, ":")
	if len(f) != 4 || strings.HasPrefix(l.text, "#") || strings.Contains(l.end, "\r") {
		return nil
	}
	if _, err := strconv.ParseUint(f[2], 10, 32); err != nil {
		return nil
	}
	return f
}

// groupMembers are the members of a line.
func groupMembers(l textLine) []string {
	f := groupFields(l)
	if f == nil {
		return nil
	}
	members := strings.Split(f[3], ",")
	for i, m := range members {
		members[i] = strings.TrimSpace(m)
	}
	return members
}

// lockOthers keeps those out who write a file by reading it first, as we do:
// of two at once, one would lose what the other wrote.
func lockOthers(ctx context.Context, h *host.Host, path string) (release func(), err error) {
	if path != "/etc/group" {
		return func() {}, nil
	}
	return h.LockAccounts(ctx)
}
