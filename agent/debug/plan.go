package debug

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// PlannedStep is one step of a plan in words, for --json.
type PlannedStep struct {
	ID       string          `json:"id"`
	Concern  string          `json:"concern"`
	Required bool            `json:"required"`
	Needs    []string        `json:"needs"`
	After    []string        `json:"after"` // begun once these have ended, however they ended
	Why      string          `json:"why"`
	Wants    string          `json:"wants"` // what it asks for, secrets masked
	State    string          `json:"state"` // "" where no machine was looked at
	Error    string          `json:"error"`
	Changes  []PlannedChange `json:"changes"`
}

// PlannedChange is what would be done.
type PlannedChange struct {
	Say  string `json:"say"`
	Risk string `json:"risk"`
	Diff string `json:"diff"`
}

// Plan looks at the machine, where one is given, and says what a pass would
// do. It runs no change.
func Plan(ctx context.Context, h *host.Host, w agent.Wanted) ([]PlannedStep, error) {
	p := w.Plan
	if err := p.Validate(); err != nil {
		return nil, err
	}
	out := make([]PlannedStep, len(p))
	for i, s := range p {
		out[i] = PlannedStep{ID: s.ID(), Concern: s.Concern, Required: s.Required, Needs: append([]string{}, s.Needs...), After: append([]string{}, s.After...), Why: s.Why, Changes: []PlannedChange{}}
		if d, ok := s.Resource.(plan.Describer); ok {
			out[i].Wants = d.Describe()
		}
	}
	if h == nil {
		return out, nil
	}
	gate, guarded := agent.Guard(h, w, p, plan.Nothing)
	_, guarded = agent.Try(ctx, gate, guarded, plan.Nothing)
	looked, err := converge.Run(ctx, h, guarded, converge.Options{Max: plan.Nothing})
	if err != nil {
		return nil, err
	}
	for i, r := range looked.Results {
		out[i].State = string(r.State)
		if r.Err != nil {
			out[i].Error = r.Err.Error()
		}
		for _, c := range r.Changes {
			out[i].Changes = append(out[i].Changes, PlannedChange{Say: c.Say, Risk: c.Risk.String(), Diff: c.Diff})
		}
	}
	return out, nil
}

// Only keeps the steps of the concerns or with the IDs that words name.
func Only(steps []PlannedStep, words []string) ([]PlannedStep, error) {
	if len(words) == 0 {
		return steps, nil
	}
	var out []PlannedStep
	met := map[string]bool{}
	for _, s := range steps {
		met[s.Concern], met[s.ID] = true, true
		if slices.Contains(words, s.Concern) || slices.Contains(words, s.ID) {
			out = append(out, s)
		}
	}
	for _, w := range words {
		if !met[w] {
			return nil, fmt.Errorf("no step has the ID or the concern %q; this plan has %s", w, strings.Join(slices.Sorted(maps.Keys(met)), ", "))
		}
	}
	return out, nil
}

// WritePlan prints what Plan returned: the diffs where a machine was looked
// at, else everything that each step asks for; brief leaves both out.
func WritePlan(w io.Writer, steps []PlannedStep, brief bool) {
	changes, failed := 0, 0
	for _, s := range steps {
		if s.impossible() {
			failed++
		}
		must := "required"
		if !s.Required {
			must = "not required"
		}
		fmt.Fprintf(w, "%s  [%s, %s]%s\n  why: %s\n", report.Clean(s.ID), s.Concern, must, stateOf(s), report.Clean(s.Why))
		if first := slices.Concat(s.Needs, s.After); len(first) > 0 {
			fmt.Fprintf(w, "  after: %s\n", report.Clean(strings.Join(first, ", ")))
		}
		if s.Error != "" {
			fmt.Fprintf(w, "  error: %s\n", report.Clean(s.Error))
		}
		if s.State == "" && !brief {
			indent(w, s.Wants)
		}
		for _, c := range s.Changes {
			changes++
			fmt.Fprintf(w, "  would %s (%s)\n", report.Clean(c.Say), c.Risk)
			if !brief {
				indent(w, c.Diff)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d steps, %d changes", len(steps), changes)
	if failed > 0 {
		fmt.Fprintf(w, ", %d not possible", failed)
	}
	fmt.Fprintln(w)
}

// Impossible says that a pass would fail at one of the steps.
func Impossible(steps []PlannedStep) bool {
	return slices.ContainsFunc(steps, PlannedStep.impossible)
}

func (s PlannedStep) impossible() bool {
	return s.State == string(converge.Failed) || s.State == string(converge.Blocked)
}

func stateOf(s PlannedStep) string {
	if s.State == "" {
		return ""
	}
	return " " + s.State
}

// indent prints text line by line, harmless on a terminal.
func indent(w io.Writer, text string) {
	if text == "" {
		return
	}
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		tabs := strings.Split(l, "\t")
		for i := range tabs {
			tabs[i] = report.Clean(tabs[i])
		}
		fmt.Fprintf(w, "    %s\n", strings.Join(tabs, "\t"))
	}
}
