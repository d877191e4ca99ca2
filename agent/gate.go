package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// ErrLockout says that files would hold logins up for longer than they may.
var ErrLockout = errors.New("refused, and what is there stays")

// Gate stands before the files of the name service: before the first of them
// is changed, it works out how long a login would take at worst with all of
// them, and where that is over a limit and longer than it is now, none is
// written. Where no file differs it reads nothing and computes nothing.
type Gate struct {
	host   *host.Host
	wanted Wanted
	steps  plan.Plan
	// answered leaves out what is not written, for want of servers that answer.
	answered func(plan.Plan) plan.Plan

	// Whoever decides may be a while at it, and must not hold up the walk.
	foretold bool         // this pass changes nothing, and PAM counts as changed
	pam      atomic.Int32 // steps of PAM that are on their way
	open     atomic.Int32 // steps of the name service that have not ended
	wantsPAM atomic.Bool  // they wait for PAM
	made     time.Time

	mu      sync.Mutex
	decided bool
	verdict verdict
	hasty   *hasty // nil: PAM had ended, or nothing hung on it
}

// verdict is what becomes of the files: without an error they are written.
type verdict struct {
	err    error
	still  []logins.Excess // over a limit, and no longer than before
	beyond []logins.Excess // longer than before, and no setting of a profile mends it
}

func (v verdict) clean() bool { return v.err == nil && len(v.still)+len(v.beyond) == 0 }

// Guard is the plan with a gate before its name-service files, for a pass that
// may do at most max.
func Guard(h *host.Host, w Wanted, steps plan.Plan, max plan.Risk) (*Gate, plan.Plan) {
	g := &Gate{host: h, wanted: w, steps: steps, made: time.Now()}
	g.answered = func(all plan.Plan) plan.Plan { return all }
	out := slices.Clone(steps)
	for i, s := range out {
		if isPAM(s) && max == plan.Nothing {
			g.foretold = true
		} else if p, ok := s.Resource.(resource.PAMProfile); ok && max >= plan.Disrupts {
			g.pam.Add(1)
			out[i].Resource = guardedPAM{p, g}
		}
		if !guarded(s) {
			continue
		}
		g.open.Add(1)
		switch r := s.Resource.(type) {
		case resource.File:
			out[i].Resource = guardedFile{r, g}
		case resource.Original:
			out[i].Resource = guardedOriginal{r, g}
		}
	}
	return g, out
}

// guarded says whether a step is one of those that decide how users and names
// are looked up. That PAM leaves local users alone makes no login longer; that
// it no longer does may.
func guarded(s plan.Step) bool {
	back := false
	switch s.Resource.(type) {
	case resource.Original, guardedOriginal:
		back = true
	}
	return slices.Contains([]string{"resolver", "nameservice", "directory", "nscd"}, s.Concern) || back && s.Concern == "pam"
}

// Note is for the report: why the files were not written, or what is over its
// limit all the same; nil where nothing is, or no file differed.
func (g *Gate) Note() error {
	if !g.mu.TryLock() { // a step that was left behind is still at it, and its own error says so
		return nil
	}
	defer g.mu.Unlock()
	switch v := g.final(); {
	case v.err != nil:
		return fmt.Errorf("the files of the name service: %w", v.err)
	case len(v.beyond) > 0:
		return fmt.Errorf("over its limit, and no setting of the profile mends it: %s; %s", v.beyond[0], v.beyond[0].Longest().Remedy)
	case len(v.still) > 0:
		return fmt.Errorf("no longer than before, and still over its limit: %s; `reveille debug login-budget` has every wait", v.still[0])
	}
	return nil
}

// Open takes the gate out of a walk's results.
func (g *Gate) Open(walked converge.Report) {
	for i, r := range walked.Results {
		switch s := r.Step.Resource.(type) {
		case guardedFile:
			walked.Results[i].Step.Resource = s.File
		case guardedOriginal:
			walked.Results[i].Step.Resource = s.Original
		case guardedPAM:
			walked.Results[i].Step.Resource = s.PAMProfile
		}
	}
}

type guardedFile struct {
	resource.File
	gate *Gate
}

func (f guardedFile) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	changes, err := f.File.Check(ctx, h)
	return f.gate.let(changes, err)
}

type guardedOriginal struct {
	resource.Original
	gate *Gate
}

func (o guardedOriginal) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	changes, err := o.Original.Check(ctx, h)
	return o.gate.let(changes, err)
}

// let is the gate itself. Whoever comes first has all decided, and the others
// wait for it: none of the files has been changed by then.
func (g *Gate) let(changes []plan.Change, err error) ([]plan.Change, error) {
	if err != nil || len(changes) == 0 {
		return changes, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.decide(); err != nil {
		return nil, err
	}
	if g.verdict.err != nil {
		return nil, g.verdict.err
	}
	return changes, nil
}

// matters says whether the files could make a login longer at all. Reading and
// judging costs a first pass a millisecond and a half, which a role that has no
// more than a resolver need not pay on a machine whose logins ask no server.
func (g *Gate) matters() bool {
	if g.wanted.Profile.Directory != nil || g.wanted.Profile.LoginBudget != 0 {
		return true
	}
	for _, s := range g.steps {
		if guarded(s) && s.Concern != "resolver" {
			return true
		}
	}
	return facts.LoginResolves(g.host, g.wanted.Facts.Machine.Has)
}
