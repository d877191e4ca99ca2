package daemon

import (
	"context"
	"fmt"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/stack"
	"reveille/coordinator/api"
)

// aside is how long the first steps have the disk for themselves: names and
// accounts are in place by then on most machines.
const aside = 20 * time.Millisecond

// prepare is what must be before the first change: on record whose machine the
// originals belong to. What else is to be done once a pass begins a moment
// later, beside the steps; what prepare returns waits for its end.
func (p Pass) prepare(ctx context.Context, w agent.Wanted) (rest func(), err error) {
	if err := noteDiffer(p.Host, w.Facts); err != nil {
		return nil, err
	}
	if err := originals.SetOwner(p.Host, w.Facts.InstanceID()); err != nil {
		return nil, fmt.Errorf("note whose files are kept: %w", err)
	}
	done := make(chan struct{})
	keep := func() {
		defer close(done)
		stack.Grow(12)
		if err := facts.Keep(ctx, p.Host, w.Facts); err != nil {
			p.log().Warn("the crawl could not be kept for a boot without IMDS", "error", err)
		}
		// What a killed run has left harms nobody; a folder that cannot be swept
		// is the failure of its own step.
		if err := sweep(p.Host, w.Plan, w.Facts.InstanceID()); err != nil {
			p.log().Warn("left for a later pass", "error", err)
		}
	}
	later := time.AfterFunc(aside, keep)
	return func() {
		if later.Stop() {
			go keep()
		}
		select {
		case <-done:
		case <-time.After(flushWithin):
			p.log().Warn("the crawl could not be kept for a boot without IMDS, or leftovers not be swept: the disk does not answer")
		}
	}, nil
}

// settle asks the steps for their notes, and notes what this pass confirmed:
// those bytes are safe to put back later without anybody watching. A pass that
// failed confirms nothing: half of what was asked for may be what broke the
// other half.
func (p Pass) settle(r *api.Report, walked converge.Report, max plan.Risk) {
	for _, got := range walked.Results {
		if n, ok := got.Step.Resource.(plan.Noter); ok && p.Host.Live() {
			r.Notes = append(r.Notes, n.Notes(p.Host)...)
		}
	}
	if max < plan.Disrupts || r.State == api.Failed {
		return
	}
	var so []plan.Resource
	for _, got := range walked.Results {
		if got.State.So() {
			so = append(so, got.Step.Resource)
		}
	}
	if err := resource.Confirm(p.Host, so); err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("what this pass brought could not be noted as good: %v", err))
	}
}
