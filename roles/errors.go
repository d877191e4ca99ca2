package roles

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// Error is one mistake in a document, with its place and what to do about it.
type Error struct {
	File    string `json:"file"`   // path, "user-data part 2", "tag hostname"
	Line    int    `json:"line"`   // 1-based; 0 where the source has no lines
	Column  int    `json:"column"` // 1-based, in characters; 0 where the source has no lines
	Message string `json:"message"`
}

// Error is "file:line:column: message", or "file: message" without a line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors is a configuration that is refused: every mistake that was found, by
// file and line. It is never empty.
type Errors []*Error

// Error is one line a mistake.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single mistakes to errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// sorted puts mistakes in the order of their places and drops repeats.
func (es Errors) sorted() Errors {
	sort.SliceStable(es, func(i, j int) bool {
		a, b := es[i], es[j]
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message)) < 0
	})
	return slices.CompactFunc(es, func(a, b *Error) bool { return *a == *b })
}

// UnknownFact says that a decision needs a fact that could not be read. It is
// a pass that failed, not a bad configuration: unknown is never absent, so
// nothing may be decided, and the next pass may know.
type UnknownFact struct {
	What   string // "user-data", "security groups"
	For    string // what needed it: "match.security_groups of /etc/…/dev.yaml"; may be ""
	Reason facts.Reason
	Detail string
	key    string // the profile's key that needed it; "" where none did
}

// Error says what is unknown, why, and what needed it.
func (e *UnknownFact) Error() string {
	s := fmt.Sprintf("%s unknown (%s)", e.What, e.Reason)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.For != "" {
		s += "; needed by " + e.For
	}
	return s
}

// unknownFact makes the error of a fact that is not known.
func unknownFact[T any](what, needed string, f facts.Fact[T]) *UnknownFact {
	reason, detail := f.Why()
	return &UnknownFact{What: what, For: needed, Reason: reason, Detail: detail}
}

// joinUnknown makes one error of them, a plain *UnknownFact where there is one.
func joinUnknown(all []*UnknownFact) error {
	if len(all) == 1 {
		return all[0]
	}
	var errs []error
	for _, u := range all {
		errs = append(errs, u)
	}
	return errors.Join(errs...)
}

// errorAt makes the error of a place.
func errorAt(at cite.Place, format string, args ...any) *Error {
	return &Error{File: at.File, Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)}
}
