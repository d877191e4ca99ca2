package plan

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/bootstrap/host"
)

// thing is a resource that says only what a test wants it to say.
type thing struct {
	id   string
	live bool
}

func (r thing) ID() string                                          { return r.id }
func (r thing) Live() bool                                          { return r.live }
func (r thing) Check(context.Context, *host.Host) ([]Change, error) { return nil, nil }

func step(id string, needs ...string) Step {
	return Step{Resource: thing{id: id}, Concern: "test", Needs: needs}
}

func liveStep(id string, needs ...string) Step {
	return Step{Resource: thing{id: id, live: true}, Concern: "test", Needs: needs}
}

func after(id string, others ...string) Step {
	return Step{Resource: thing{id: id}, Concern: "test", After: others}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		plan Plan
		want []string // one line of the error each, in order; none: valid
	}{
		"empty":                 {nil, nil},
		"a diamond":             {Plan{step("d", "b", "c"), step("b", "a"), step("c", "a"), step("a")}, nil},
		"needs named two times": {Plan{step("a"), step("b", "a", "a")}, nil},
		"no resource":           {Plan{step("a"), {Concern: "resolver", Why: "role mysql"}}, []string{"step 2 of the plan (resolver: role mysql) has no resource"}},
		"no ID":                 {Plan{step("")}, []string{"step 1 of the plan (test) has no ID"}},
		"twice":                 {Plan{step("a"), {Resource: thing{id: "a"}, Concern: "naming", Why: "tag hostname"}}, []string{"a is wanted twice: by test and by naming: tag hostname"}},
		"unknown need":          {Plan{step("a", "b")}, []string{`a (test) needs "b", which is no step of the plan`}},
		"itself":                {Plan{step("a", "a")}, []string{"these steps wait for each other for ever: a needs a"}},
		"cycle":                 {Plan{step("x", "b"), step("a", "b"), step("b", "c"), step("c", "a")}, []string{"these steps wait for each other for ever: b needs c needs a needs b"}},
		"unknown after":         {Plan{after("a", "b")}, []string{`a (test) comes after "b", which is no step of the plan`}},
		"cycle through both":    {Plan{step("a", "b"), after("b", "c"), step("c", "a")}, []string{"these steps wait for each other for ever: a needs b comes after c needs a"}},
		"after itself":          {Plan{after("a", "a")}, []string{"these steps wait for each other for ever: a comes after a"}},
		"needs and after one":   {Plan{step("a"), {Resource: thing{id: "b"}, Needs: []string{"a"}, After: []string{"a"}}}, nil},
		"negative bound":        {Plan{{Resource: thing{id: "a"}, Within: -time.Second}}, []string{"a (no concern named) is bounded by -1s, which is less than nothing"}},
		"all at once": {Plan{step("a", "a"), step("a"), {}, step("b", "nowhere")}, []string{
			"a is wanted twice: by test and by test",
			"step 3 of the plan (no concern named) has no resource",
			`b (test) needs "nowhere", which is no step of the plan`,
			"these steps wait for each other for ever: a needs a",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			if err := c.plan.Validate(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("errors (-want +got):\n%s", d)
			}
		})
	}
}

func TestNormalMakesNeedsOfRequiredStepsRequired(t *testing.T) {
	required := step("top", "mid")
	required.Required = true
	p := Plan{step("base"), step("aside", "base"), step("mid", "base"), required}
	p[2].After = []string{"aside"} // that it has ended is enough
	got := map[string]bool{}
	for _, s := range p.Normal() {
		got[s.ID()] = s.Required
	}
	want := map[string]bool{"base": true, "aside": false, "mid": true, "top": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("required (-want +got):\n%s", d)
	}
	if p[0].Required {
		t.Error("Normal changed the plan that it was asked of")
	}
}

func TestOfflineReconnectsNeeds(t *testing.T) {
	unit := liveStep("unit", "file", "hostname")
	unit.Required = true
	p := Plan{
		step("hosts"),
		liveStep("hostname", "hosts"),
		step("file", "hostname"),
		unit,
		step("after", "unit", "hosts"),
	}
	got := map[string][]string{}
	off := p.Offline()
	for _, s := range off {
		got[s.ID()] = s.Needs
	}
	want := map[string][]string{"hosts": nil, "file": {"hosts"}, "after": {"file", "hosts"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("needs (-want +got):\n%s", d)
	}
	if !off[0].Required || !off[1].Required || off[2].Required {
		t.Errorf("required of %v: %v %v %v; what the required unit needed stays required", off.IDs(), off[0].Required, off[1].Required, off[2].Required)
	}
	if d := cmp.Diff([]string{"file", "hostname"}, p[3].Needs); d != "" {
		t.Errorf("Offline changed the plan that it was asked of:\n%s", d)
	}
}

// What a step waited for through steps that are left out it still waits for:
// must be so what all the way was needed, and must have ended what was not.
func TestOfflineReconnectsAfters(t *testing.T) {
	array := liveStep("array", "folder")
	array.After = []string{"volumes"}
	volumes := liveStep("volumes", "file")
	service := step("service", "array")
	last := after("last", "array", "hosts")
	p := Plan{step("hosts"), step("file"), step("folder"), volumes, array, service, last}
	type waits struct{ Needs, After []string }
	got := map[string]waits{}
	for _, s := range p.Offline() {
		got[s.ID()] = waits{s.Needs, s.After}
	}
	want := map[string]waits{"hosts": {}, "file": {}, "folder": {},
		"service": {[]string{"folder"}, []string{"file"}},
		"last":    {nil, []string{"folder", "file", "hosts"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"volumes"}, p[4].After); d != "" {
		t.Errorf("Offline changed the plan that it was asked of:\n%s", d)
	}
}

// Whoever came before a step still does, when the live steps between are gone.
func TestOfflineKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		off := p.Offline()
		if err := off.Validate(); err != nil {
			t.Fatalf("no valid plan any more: %v", err)
		}
		for what, of := range map[string]func(Step) []string{
			"needs":     func(s Step) []string { return s.Needs },
			"waits for": func(s Step) []string { return slices.Concat(s.Needs, s.After) },
		} {
			before, after := reach(p, of), reach(off, of)
			for _, s := range off {
				for _, u := range off {
					if before[s.ID()][u.ID()] != after[s.ID()][u.ID()] {
						t.Fatalf("%s %s %s: %v before, %v offline", s.ID(), what, u.ID(), before[s.ID()][u.ID()], after[s.ID()][u.ID()])
					}
				}
			}
		}
		for _, s := range off {
			if l, _ := s.Resource.(Liver); l.Live() {
				t.Fatalf("%s is live and still there", s.ID())
			}
		}
	})
}

func drawPlan(t *rapid.T) Plan {
	n := rapid.IntRange(0, 9).Draw(t, "steps")
	var p Plan
	for i := range n {
		s := Step{Resource: thing{id: string(rune('a' + i)), live: rapid.Bool().Draw(t, "live")}}
		for j := range i {
			if rapid.Bool().Draw(t, "needs") {
				s.Needs = append(s.Needs, string(rune('a'+j)))
			}
			if rapid.Bool().Draw(t, "comes after") {
				s.After = append(s.After, string(rune('a'+j)))
			}
		}
		p = append(p, s)
	}
	return p
}

// reach is, for each step, all that comes before it, by needs or by both.
func reach(p Plan, of func(Step) []string) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, s := range p { // needs stand before their step in a drawn plan
		all[s.ID()] = map[string]bool{}
		for _, need := range of(s) {
			all[s.ID()][need] = true
			for far := range all[need] {
				all[s.ID()][far] = true
			}
		}
	}
	return all
}

func TestIDsAreInPlanOrder(t *testing.T) {
	if got := (Plan{step("b"), {}, step("a")}).IDs(); !slices.Equal(got, []string{"b", "", "a"}) {
		t.Errorf("got %q", got)
	}
}

func TestRiskSaysWhatItIs(t *testing.T) {
	for r, want := range map[Risk]string{Nothing: "nothing", Safe: "safe", Disrupts: "disrupts", Destroys: "destroys", -1: "risk(-1)", 9: "risk(9)"} {
		if got := r.String(); got != want {
			t.Errorf("Risk %d says %q, want %q", int(r), got, want)
		}
	}
}
