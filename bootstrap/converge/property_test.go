package converge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// script says how a drawn resource behaves.
type script struct {
	ID       string
	Needs    []string
	After    []string
	So       bool        // from the start
	Risks    []plan.Risk // one change each
	Waits    int         // looks that say NotYet first; -1: for ever
	LookErr  bool
	PanicAt  int // which change panics; -1: none
	FailAt   int
	StaysOff bool // the changes do not help
	Slow     time.Duration
}

func drawScripts(t *rapid.T) []script {
	var out []script
	for i := range rapid.IntRange(0, 10).Draw(t, "steps") {
		s := script{
			ID:       fmt.Sprintf("step%d", i),
			So:       rapid.Bool().Draw(t, "so"),
			Risks:    rapid.SliceOfN(rapid.SampledFrom([]plan.Risk{plan.Safe, plan.Disrupts, plan.Destroys}), 1, 3).Draw(t, "risks"),
			Waits:    rapid.SampledFrom([]int{0, 0, 0, 0, 1, 3, -1}).Draw(t, "waits"),
			LookErr:  rapid.IntRange(0, 9).Draw(t, "look fails") == 0,
			PanicAt:  rapid.SampledFrom([]int{-1, -1, -1, -1, -1, 0, 1}).Draw(t, "panics"),
			FailAt:   rapid.SampledFrom([]int{-1, -1, -1, -1, -1, 0, 1}).Draw(t, "fails"),
			StaysOff: rapid.IntRange(0, 9).Draw(t, "stays off") == 0,
			Slow:     time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond,
		}
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "need") == 0 {
				s.Needs = append(s.Needs, fmt.Sprintf("step%d", j))
			}
			if rapid.IntRange(0, 5).Draw(t, "after") == 0 {
				s.After = append(s.After, fmt.Sprintf("step%d", j))
			}
		}
		out = append(out, s)
	}
	return rapid.Permutation(out).Draw(t, "order")
}

// machine plays the scripts and keeps the book of what happened on it.
type machine struct {
	mu      sync.Mutex
	scripts map[string]script
	so      map[string]bool
	waited  map[string]int
	did     map[string][]plan.Risk
	badly   []string // steps that were looked at before their needs were so
	dry     bool
}

func newMachine(scripts []script) *machine {
	m := &machine{scripts: map[string]script{}, so: map[string]bool{}, waited: map[string]int{}, did: map[string][]plan.Risk{}}
	for _, s := range scripts {
		m.scripts[s.ID] = s
		m.so[s.ID] = s.So
	}
	return m
}

type actor struct {
	*machine
	script
}

func (a actor) ID() string { return a.script.ID }

func (a actor) Check(context.Context, *host.Host) ([]plan.Change, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, need := range a.Needs {
		if !a.machine.so[need] && !a.dry {
			a.badly = append(a.badly, a.script.ID+" before "+need)
		}
	}
	if a.LookErr {
		return nil, errBoom
	}
	if a.Waits < 0 || a.waited[a.script.ID] < a.Waits {
		a.waited[a.script.ID]++
		return nil, &plan.NotYet{For: a.script.ID}
	}
	if a.so[a.script.ID] {
		return nil, nil
	}
	var changes []plan.Change
	for i, risk := range a.Risks {
		changes = append(changes, plan.Change{Say: fmt.Sprintf("change %d", i), Risk: risk, Do: func(context.Context) error { return a.do(i, risk) }})
	}
	return changes, nil
}

func (a actor) do(i int, risk plan.Risk) error {
	time.Sleep(a.Slow)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.did[a.script.ID] = append(a.did[a.script.ID], risk)
	switch i {
	case a.PanicAt:
		panic("drawn")
	case a.FailAt:
		return errBoom
	case len(a.Risks) - 1:
		a.so[a.script.ID] = !a.StaysOff
	}
	return nil
}

// walkOn runs the scripts on a machine in a bubble where time is free. What
// it finds is judged outside: rapid cannot fail from another goroutine.
func walkOn(t *testing.T, m *machine, scripts []script, max plan.Risk) (Report, []int) {
	var p plan.Plan
	for _, s := range scripts {
		p = append(p, plan.Step{Resource: actor{m, s}, Needs: s.Needs, After: s.After})
	}
	var report Report
	var heard []int
	m.dry = max == plan.Nothing
	synctest.Test(t, func(t *testing.T) {
		report, _ = Run(t.Context(), nil, p, Options{Max: max, On: func(i int, _ Result) { heard = append(heard, i) }})
	})
	return report, heard
}

func outcomes(r Report) (all [][]string) {
	for _, s := range r.Results {
		all = append(all, outcome(s))
	}
	return all
}

func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scripts := drawScripts(rt)
		max := rapid.SampledFrom([]plan.Risk{plan.Nothing, plan.Safe, plan.Disrupts, plan.Destroys}).Draw(rt, "max")
		m := newMachine(scripts)
		r, heard := walkOn(t, m, scripts, max)

		slices.Sort(heard)
		if len(r.Results) != len(scripts) || len(heard) != len(scripts) || len(slices.Compact(heard)) != len(scripts) {
			rt.Fatalf("%d steps, %d results, %d heard of", len(scripts), len(r.Results), len(heard))
		}
		if len(m.badly) > 0 {
			rt.Fatalf("looked at before its needs were so: %v", m.badly)
		}
		states := map[string]State{}
		for _, s := range r.Results {
			states[s.Step.ID()] = s.State
		}
		for i, s := range r.Results {
			judge(rt, m, scripts[i], s, states, max)
		}

		again, _ := walkOn(t, newMachine(scripts), scripts, max)
		if d := cmp.Diff(outcomes(r), outcomes(again)); d != "" {
			rt.Fatalf("the same plan on the same machine ended otherwise:\n%s", d)
		}
	})
}

// judge holds one result to what was done on the machine.
func judge(rt *rapid.T, m *machine, s script, r Result, states map[string]State, max plan.Risk) {
	did := m.did[s.ID]
	switch r.State {
	case OK, Changed:
		if !m.so[s.ID] || r.Err != nil {
			rt.Fatalf("%s is called %s, so: %v, error %v", s.ID, r.State, m.so[s.ID], r.Err)
		}
		if (r.State == Changed) != (len(did) > 0) {
			rt.Fatalf("%s is called %s after %v", s.ID, r.State, did)
		}
	case Drifted:
		if len(did) > 0 || len(r.Changes) != len(s.Risks) {
			rt.Fatalf("%s drifted: did %v, tells of %d changes", s.ID, did, len(r.Changes))
		}
	case Unknown:
		if max != plan.Nothing || r.Err == nil {
			rt.Fatalf("%s unknown with max %s, error %v", s.ID, max, r.Err)
		}
	case Failed, Blocked:
		if r.Err == nil {
			rt.Fatalf("%s %s without a reason", s.ID, r.State)
		}
	default:
		rt.Fatalf("%s has no state: %q", s.ID, r.State)
	}
	for _, risk := range did {
		if risk > max {
			rt.Fatalf("%s did what is %s, the most allowed is %s", s.ID, risk, max)
		}
	}
	held := slices.ContainsFunc(s.Needs, func(n string) bool { return states[n] == Failed || states[n] == Blocked })
	if max != plan.Nothing {
		held = slices.ContainsFunc(s.Needs, func(n string) bool { return !states[n].So() })
	}
	if held != (r.State == Blocked) {
		rt.Fatalf("%s is %s; a need keeps it from running: %v", s.ID, r.State, held)
	}
}

// What converged stays: a second walk finds everything so and does nothing.
func TestSecondRunIsAllOK(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scripts := drawScripts(rt)
		for i := range scripts {
			s := &scripts[i]
			s.LookErr, s.StaysOff, s.PanicAt, s.FailAt, s.Waits = false, false, -1, -1, max(0, s.Waits)
		}
		m := newMachine(scripts)
		if r, _ := walkOn(t, m, scripts, plan.Destroys); slices.ContainsFunc(r.Results, func(s Result) bool { return !s.State.So() }) {
			rt.Fatalf("did not converge: %v", outcomes(r))
		}
		clear(m.did)
		for _, max := range []plan.Risk{plan.Nothing, plan.Destroys} {
			r, _ := walkOn(t, m, scripts, max)
			if len(m.did) > 0 || slices.ContainsFunc(r.Results, func(s Result) bool { return s.State != OK }) {
				rt.Fatalf("second run, max %s: %v, did %v", max, outcomes(r), m.did)
			}
		}
	})
}
