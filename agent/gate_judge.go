package agent

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles"
	"reveille/roles/logins"
)

// judge looks at the machine as it is, by what was read of it, and as it would
// be. What the gate does not hold back is done either way, and so is part of
// both.
func (g *Gate) judge(read facts.Login, steps plan.Plan) (v verdict) {
	free := slices.DeleteFunc(slices.Clone(steps), guarded)
	disk := AfterPass(read, free, g.image)
	breakGlass, login := "", g.wanted.Profile.LoginBudget
	if d := g.wanted.Profile.Directory; d != nil {
		breakGlass = d.BreakGlass
	}
	judge := func(steps plan.Plan) logins.Budget { return judged(g.after(disk, steps), breakGlass) }
	after := judge(steps)
	if _, err := after.Limit(login); err != nil {
		v.err = fmt.Errorf("%w: %w (%s)", ErrLockout, err, g.wanted.Profile.Why("login_budget"))
		return v
	}
	if v.still = after.Exceeds(logins.Budget{}, login); len(v.still) == 0 {
		return v // whatever is there
	}
	now := judged(disk, breakGlass)
	worse := after.Exceeds(now, login)
	if len(worse) == 0 {
		return v
	}
	if p, err := roles.Plan(g.wanted.Facts, g.wanted.Profile.Least()); err == nil {
		p = slices.DeleteFunc(p, isPAM) // it is part of the disk already, or not done
		if len(logins.Mendable(worse, judge(p))) == 0 {
			v.beyond = worse
			return v
		}
	}
	v.err = fmt.Errorf("%w: %s", ErrLockout, said(worse, g.remedy(worse, now, judge)))
	return v
}

// after lays the files over the disk. A client whose file is among them counts
// as running: it will, once it is installed.
func (g *Gate) after(disk facts.Login, steps plan.Plan) facts.Login {
	l := AfterPass(disk, steps, g.image)
	for _, s := range steps {
		if f, ok := s.Resource.(resource.File); ok && s.Concern == "directory" {
			l.Running = facts.LoginRunning(logins.Running(l.Running).With(f.Path))
		}
	}
	return l
}

func (g *Gate) image(o resource.Original) ([]byte, bool, error) { return o.Bytes(g.host) }

// remedy is the key of the profile to change, where one is to blame, and else
// what mends the longest wait.
func (g *Gate) remedy(worse []logins.Excess, now logins.Budget, judge func(plan.Plan) logins.Budget) string {
	least, blamed := total(worse), ""
	for _, l := range g.wanted.Profile.Lowered() {
		p, err := roles.Plan(g.wanted.Facts, l.Profile)
		if err != nil {
			continue
		}
		p = slices.DeleteFunc(p, isPAM)
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

func total(all []logins.Excess) logins.Bound {
	var sum logins.Bound
	for _, e := range all {
		sum = sum.Plus(e.Takes)
	}
	return sum
}

// said is the excesses, the waits that break their limits, and the remedy, in
// words that may be reported: no text of a file is among them.
func said(worse []logins.Excess, remedy string) string {
	var all []string
	for _, e := range worse {
		all = append(all, e.String())
	}
	text := strings.Join(all, "; ") + "; " + waits(worse)
	if remedy != "" {
		text += "; to change: " + remedy
	}
	return text + "; `reveille debug login-budget` has every wait"
}

// waits are those that break the limits, each place that asks and each client's
// settings told once: users mostly have them in common.
func waits(worse []logins.Excess) string {
	var out []string
	told := map[string]bool{}
	for _, e := range worse {
		for _, t := range e.Breaks() {
			if told[t.At()] {
				continue
			}
			said := fmt.Sprintf("%s of it by %s", t.Takes, t.At())
			if !told[t.Limit] {
				said += " (" + t.Limit + ")"
			}
			told[t.At()], told[t.Limit] = true, true
			out = append(out, said)
		}
	}
	return strings.Join(out, ", ")
}
