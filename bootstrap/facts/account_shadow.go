package facts

import (
	"strconv"
	"strings"
)

// Shadow is a user's line of /etc/shadow, without the hash. Days are since
// 1970; -1 is not set.
type Shadow struct {
	There    bool
	Unread   string // why it is not known whether it is there
	Password PasswordKind
	Changed  int // the day of the last change; 0: it must be changed at the next login
	Most     int // days that a password is good for
	Inactive int // days after that in which it can still be changed
	Expires  int // the day from which the account is closed
}

// PasswordKind is what stands in the place of a password.
type PasswordKind string

// The kinds.
const (
	PasswordSet    PasswordKind = "set"
	PasswordEmpty  PasswordKind = "empty"
	PasswordLocked PasswordKind = "locked" // begins with "!": usermod -L, passwd -l, a new account
	PasswordNone   PasswordKind = "none"   // "*", "*LK*" or other text that is no hash
)

func (r *accountReader) shadow(name string) Shadow {
	text, err := r.h.ReadFile("/etc/shadow")
	if err != nil {
		return Shadow{Unread: err.Error()}
	}
	return shadowOf(string(text), name)
}

// shadowOf reads a user's line; of two the first counts.
func shadowOf(text, name string) Shadow {
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 2 || f[0] != name || name == "" {
			continue
		}
		f = append(f, make([]string, 9)...)
		return Shadow{
			There: true, Password: passwordKind(f[1]),
			Changed: days(f[2]), Most: days(f[4]), Inactive: days(f[6]), Expires: days(f[7]),
		}
	}
	return Shadow{}
}

func passwordKind(field string) PasswordKind {
	switch {
	case field == "":
		return PasswordEmpty
	case strings.HasPrefix(field, "!"):
		return PasswordLocked
	case strings.HasPrefix(field, "$"), len(field) == 13 && !strings.HasPrefix(field, "*"), strings.HasPrefix(field, "_"):
		return PasswordSet
	}
	return PasswordNone
}

// days is a number of days; glibc takes an empty field for -1.
func days(field string) int {
	n, err := strconv.Atoi(strings.TrimSpace(field))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
