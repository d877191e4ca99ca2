package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles"
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

	decide sync.Once
	err    error
	still  []roles.Excess // over a limit, and no longer than before
	beyond []roles.Excess // longer than before, and no setting of a profile mends it
}

// Guard is the plan with a gate before its name-service files.
func Guard(h *host.Host, w Wanted, steps plan.Plan) (*Gate, plan.Plan) {
	g := &Gate{host: h, wanted: w, steps: steps}
	out := slices.Clone(steps)
	for i, s := range out {
		if !guarded(s) {
			continue
		}
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
// are looked up.
func guarded(s plan.Step) bool {
	return slices.Contains([]string{"resolver", "nameservice", "directory"}, s.Concern)
}

// Note is for the report: why the files were not written, or what is over its
// limit all the same; nil where nothing is, or no file differed.
func (g *Gate) Note() error {
	switch {
	case g.err != nil:
		return fmt.Errorf("the files of the name service: %w", g.err)
	case len(g.beyond) > 0:
		return fmt.Errorf("over its limit, and no setting of the profile mends it: %s; %s", g.beyond[0], g.beyond[0].Longest().Remedy)
	case len(g.still) > 0:
		return fmt.Errorf("no longer than before, and still over its limit: %s; `reveille debug login-budget` has every wait", g.still[0])
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
	g.decide.Do(func() { g.err = g.verdict() })
	if g.err != nil {
		return nil, g.err
	}
	return changes, nil
}

// verdict judges the machine as it is and as it would be. What the gate does
// not hold back is done either way, and so is part of both.
func (g *Gate) verdict() error {
	if !g.matters() {
		return nil
	}
	read := facts.ReadLoginNames(g.host, g.wanted.Facts.Machine.Has)
	free := slices.DeleteFunc(slices.Clone(g.steps), guarded)
	disk := AfterPass(read, free, g.image)
	breakGlass, login := "", g.wanted.Profile.LoginBudget
	if d := g.wanted.Profile.Directory; d != nil {
		breakGlass = d.BreakGlass
	}
	judge := func(steps plan.Plan) roles.Budget { return judged(g.after(disk, steps), breakGlass) }
	after := judge(g.steps)
	if _, err := after.Limit(login); err != nil {
		return fmt.Errorf("%w: %w (%s)", ErrLockout, err, g.wanted.Profile.Why("login_budget"))
	}
	if g.still = after.Exceeds(roles.Budget{}, login); len(g.still) == 0 {
		return nil // whatever is there
	}
	now := judged(disk, breakGlass)
	worse := after.Exceeds(now, login)
	if len(worse) == 0 {
		return nil
	}
	if p, err := roles.Plan(g.wanted.Facts, g.wanted.Profile.Least()); err == nil {
		if len(roles.Mendable(worse, judge(p))) == 0 {
			g.beyond = worse
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrLockout, said(worse, g.remedy(worse, now, judge)))
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

// after lays the files over the disk. A client whose file is among them counts
// as running: it will, once it is installed.
func (g *Gate) after(disk facts.Login, steps plan.Plan) facts.Login {
	l := AfterPass(disk, steps, g.image)
	for _, s := range steps {
		if f, ok := s.Resource.(resource.File); ok && s.Concern == "directory" {
			l.Running = facts.LoginRunning(roles.Running(l.Running).With(f.Path))
		}
	}
	return l
}

func (g *Gate) image(o resource.Original) ([]byte, bool, error) { return o.Bytes(g.host) }

// remedy is the key of the profile to change, where one is to blame, and else
// what mends the longest wait.
func (g *Gate) remedy(worse []roles.Excess, now roles.Budget, judge func(plan.Plan) roles.Budget) string {
	least, blamed := total(worse), ""
	for _, l := range g.wanted.Profile.Lowered() {
		p, err := roles.Plan(g.wanted.Facts, l.Profile)
		if err != nil {
			continue
		}
		if t := total(judge(p).Exceeds(now, l.Profile.LoginBudget)); t.Less(least) {
			least, blamed = t, l.Key
		}
	}
	switch why := g.wanted.Profile.Why(blamed); blamed {
	case "":
		return worse[0].Longest().Remedy
	case "login_budget":
		return "set " + why + ", higher"
	default:
		return "set " + why + ", lower"
	}
}

func total(all []roles.Excess) roles.Bound {
	var sum roles.Bound
	for _, e := range all {
		sum = sum.Plus(e.Takes)
	}
	return sum
}

// said is the excesses, the longest wait of the first, and the remedy, in
// words that may be reported: no text of a file is among them.
func said(worse []roles.Excess, remedy string) string {
	var all []string
	for _, e := range worse {
		all = append(all, e.String())
	}
	longest := worse[0].Longest()
	text := fmt.Sprintf("%s; %s of it by %s (%s)", strings.Join(all, "; "), longest.Takes, longest.At(), longest.Limit)
	if remedy != "" {
		text += "; to change: " + remedy
	}
	return text + "; `reveille debug login-budget` has every wait"
}
