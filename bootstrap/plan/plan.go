// Package plan is desired state as data: what a machine should be, in steps
// that say why they are wanted, what they need first and how much they risk.
//
// It looks at nothing and changes nothing: a Resource does the looking, the
// Change that it returns does the changing, and package converge walks the
// whole. It must not know what a role is, nor where a plan comes from.
package plan

import (
	"context"
	"strconv"
	"time"

	"reveille/bootstrap/host"
)

// Resource is one thing that a plan can ask for: a file, the host name, a unit.
type Resource interface {
	// ID names the thing within a plan, "file:/etc/resolv.conf".
	ID() string
	// Check looks and changes nothing. No changes means that the thing is so.
	// A *NotYet error says that it is worth looking again; any other is final.
	Check(ctx context.Context, h *host.Host) ([]Change, error)
}

// Describer is a Resource that can say what it wants without looking at any
// machine. The text goes into golden plans and into a replay of another
// machine's facts, so it is stable and its secrets are masked.
type Describer interface {
	Describe() string
}

// Liver is a Resource that may exist only in a running machine (the kernel's
// host name, a unit). Under a root other than "/" such steps are left out.
type Liver interface {
	Live() bool
}

// Noter is a Resource with something to say in the report, however its step
// ended. It looks and changes nothing.
type Noter interface {
	Notes(h *host.Host) []string
}

// Risk is the worst that a change can do to a machine that people use.
type Risk int

// The risks, least first. A Change of risk Nothing is an error: the zero value
// of a forgotten field must not pass every gate.
const (
	Nothing  Risk = iota
	Safe          // a file's bytes, as already confirmed by an earlier pass
	Disrupts      // host name, other servers, a restart, a mount
	Destroys      // creates or formats
)

// String is the risk in one lower-case word, "risk(9)" for a number that is none.
func (r Risk) String() string {
	words := [...]string{"nothing", "safe", "disrupts", "destroys"}
	if r < 0 || int(r) >= len(words) {
		return "risk(" + strconv.Itoa(int(r)) + ")"
	}
	return words[r]
}

// Change is one difference between what is and what should be.
type Change struct {
	Say  string                      // what will be done, in words, free of secrets; reported
	Diff string                      // unified diff for a person at a terminal; masked, never reported
	Risk Risk                        // never Nothing
	Do   func(context.Context) error // makes it so
}

// NotYet says that something is not so yet but may become so by itself.
type NotYet struct {
	For   string // what is being waited for, in words: "device /dev/nvme1n1"
	Facts bool   // the facts themselves must be read again
}

func (e *NotYet) Error() string { return "waiting for " + e.For }

// Step is a Resource in its place in a plan.
type Step struct {
	Resource
	Concern  string        // "resolver": the room of roles that asked
	Needs    []string      // IDs that must be so first
	After    []string      // IDs that must have ended first, however they ended
	Lasting  bool          // it may be so from an earlier pass, whatever has become of its needs: it is looked at all the same, and blocked only where something is to be done
	Why      string        // the rule and the layer that asked
	Within   time.Duration // from the moment when it may begin; zero is DefaultWithin
	Required bool          // not ready without it; what a required step needs is required, and what it only comes after is not
}

// DefaultWithin bounds a step that names no bound of its own.
const DefaultWithin = 30 * time.Second

// Plan is the steps in the order in which they are reported. The order in
// which they run follows from Needs and After alone.
type Plan []Step
