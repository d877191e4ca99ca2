package agent

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// pamStep is how far the steps are by which PAM leaves local users alone.
type pamStep int

// They have ended, or are none of this pass's: what is on disk counts. In a dry
// run they count as done. Else one is on its way.
const (
	pamEnded pamStep = iota
	pamForetold
	pamOnItsWay
)

// hasty is a verdict that was reached while PAM was on its way: what it was
// reached by.
type hasty struct {
	read  facts.Login
	steps plan.Plan
}

// Saw tells the gate how a step ended.
func (g *Gate) Saw(r converge.Result) {
	if _, ok := r.Step.Resource.(guardedPAM); ok {
		g.pam.Add(-1)
	} else if guarded(r.Step) {
		g.open.Add(-1)
	}
}

func (g *Gate) pamStep() pamStep {
	switch {
	case g.foretold:
		return pamForetold
	case g.pam.Load() > 0:
		return pamOnItsWay
	}
	return pamEnded
}

func isPAM(s plan.Step) bool {
	switch s.Resource.(type) {
	case resource.PAMProfile, guardedPAM:
		return true
	}
	return false
}

// aside is for how long PAM lets the files of the name service go first: its
// program takes a processor for longer than all of them take together.
const aside = time.Second

type guardedPAM struct {
	resource.PAMProfile
	gate *Gate
}

func (p guardedPAM) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	changes, err := p.PAMProfile.Check(ctx, h)
	if err == nil && len(changes) > 0 && p.gate.open.Load() > 0 && !p.gate.wantsPAM.Load() && time.Since(p.gate.made) < aside {
		return nil, &plan.NotYet{For: "the files of the name service, which are quicker"}
	}
	return changes, err
}

// decide judges the files by PAM as it is. Where they would be refused by that,
// and PAM is on its way to leave local users alone, they wait for it: it takes
// pam-auth-update a third of a second. Where they are written either way, no
// name waits for it.
func (g *Gate) decide() error {
	if g.decided {
		return nil
	}
	if !g.matters() {
		g.decided = true
		return nil
	}
	waits := g.pamStep() == pamOnItsWay // before the look: it may end meanwhile
	// The servers are asked meanwhile, as all of them mostly answer.
	asked := make(chan plan.Plan, 1)
	go func() { asked <- g.answered(g.steps) }()
	steps := g.countsNow(g.steps)
	read := facts.ReadLoginNames(g.host, g.wanted.Facts.Machine.Has)
	v := g.judge(read, steps)
	if written := <-asked; len(written) < len(g.steps) {
		steps = g.countsNow(written)
		read = facts.ReadLoginNames(g.host, g.wanted.Facts.Machine.Has)
		v = g.judge(read, steps)
	}
	if waits && v.err != nil {
		g.wantsPAM.Store(true)
		return &plan.NotYet{For: "PAM to leave local users alone, as their logins may take too long until then"}
	}
	g.decided, g.verdict = true, v
	if waits && !v.clean() {
		g.hasty = &hasty{read, steps}
	}
	return nil
}

// countsNow are the steps without those of PAM, where what is on disk counts.
func (g *Gate) countsNow(steps plan.Plan) plan.Plan {
	if g.pamStep() == pamForetold {
		return steps
	}
	return slices.DeleteFunc(slices.Clone(steps), isPAM)
}

// final is the verdict by what has become of PAM since.
func (g *Gate) final() verdict {
	if g.hasty == nil {
		return g.verdict
	}
	read := g.hasty.read
	read.Files = maps.Clone(read.Files)
	for path, text := range facts.ReadLoginNames(g.host, g.wanted.Facts.Machine.Has).Files {
		if strings.HasPrefix(path, "/etc/pam.d/") {
			read.Files[path] = text
		}
	}
	v := g.judge(read, g.hasty.steps)
	v.err = nil // they are written
	return v
}
