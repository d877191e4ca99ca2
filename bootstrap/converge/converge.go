// Package converge walks a plan: each step starts the moment what it needs is
// so and what it comes after has ended, looks, changes what it may, and looks
// again. It says of every step how it ended and why.
//
// It knows steps and risks alone. It must not know what a resource is about,
// which pass this is, or who is told; whatever it may do on this machine today
// is in Options.
package converge

import (
	"time"

	"reveille/bootstrap/plan"
)

// Options say what a walk may do. The zero value is a dry run.
type Options struct {
	// Max is the worst risk of a change that may be done; zero is a dry run:
	// nothing is done and nothing waits.
	Max plan.Risk
	// Grant is what may be created where Max lets something be. The zero value
	// is nothing.
	Grant plan.Grant
	// Wake returns a channel that is closed at the next event (a device, a
	// unit) that could make something so. A step that waits looks again then,
	// and from time to time without any event. Nil: from time to time alone.
	// It is called from several goroutines.
	Wake func() <-chan struct{}
	// On is told of each result as it comes, with its place in the plan. All
	// calls are made by the goroutine that called Run, one after another.
	On func(i int, r Result)
}

// State is how a step ended.
type State string

// The states.
const (
	OK      State = "ok"      // was so
	Changed State = "changed" // made so
	Drifted State = "drifted" // not so, and not allowed now
	Failed  State = "failed"  // could not be made so, or not be looked at
	Blocked State = "blocked" // never begun: a need is not so, or the walk was stopped
	Unknown State = "unknown" // dry run: could not be looked at yet
)

// So says that what the step asks for is the case.
func (s State) So() bool { return s == OK || s == Changed }

// Result is how one step ended. It is not so without either Changes that would
// make it so or an Err that says why.
type Result struct {
	Step     plan.Step
	State    State
	Changes  []plan.Change // drifted: what would be done; else what was done, as far as it got
	Err      error
	Start    time.Duration // from Run's beginning to the moment when its needs were so
	Took     time.Duration // from Start, waiting included
	Attempts int           // how often it was tried: 1 and one more after each wait; 0 if it never began
	Facts    bool          // it waited for something that only new facts can show
}

// Report is how a whole plan ended, in plan order.
type Report struct {
	Results []Result
	Took    time.Duration
}
