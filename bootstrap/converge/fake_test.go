package converge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// fake is a resource that a test scripts by functions. Each may be nil.
type fake struct {
	id    string
	check func(ctx context.Context, look int) ([]plan.Change, error)

	mu    sync.Mutex
	looks int
}

func (f *fake) ID() string { return f.id }

func (f *fake) Check(ctx context.Context, _ *host.Host) ([]plan.Change, error) {
	f.mu.Lock()
	f.looks++
	n := f.looks
	f.mu.Unlock()
	if f.check == nil {
		return nil, nil
	}
	return f.check(ctx, n)
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.looks
}

// soAfter is a resource that one change makes so.
func soAfter(id string, risk plan.Risk, do func(context.Context) error) *fake {
	var mu sync.Mutex
	var so bool
	return &fake{id: id, check: func(context.Context, int) ([]plan.Change, error) {
		mu.Lock()
		defer mu.Unlock()
		if so {
			return nil, nil
		}
		return []plan.Change{{Say: "make " + id, Risk: risk, Do: func(ctx context.Context) error {
			if do != nil {
				if err := do(ctx); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			so = true
			return nil
		}}}, nil
	}}
}

func failing(id string, err error) *fake {
	return &fake{id: id, check: func(context.Context, int) ([]plan.Change, error) { return nil, err }}
}

func step(r plan.Resource, needs ...string) plan.Step {
	return plan.Step{Resource: r, Concern: "test", Needs: needs}
}

func run(t *testing.T, ctx context.Context, p plan.Plan, o Options) Report {
	t.Helper()
	r, err := Run(ctx, nil, p, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != len(p) {
		t.Fatalf("%d results for %d steps", len(r.Results), len(p))
	}
	for i, s := range r.Results {
		if s.Step.Resource == nil || s.Step.ID() != p[i].ID() {
			t.Fatalf("result %d is not step %d of the plan", i, i)
		}
	}
	return r
}

// outcome is what a user sees of a result: ID, state, changes, error.
func outcome(r Result) []string {
	out := []string{r.Step.ID(), string(r.State)}
	for _, c := range r.Changes {
		out = append(out, c.Say)
	}
	if r.Err != nil {
		out = append(out, "error: "+r.Err.Error())
	}
	return out
}

func want(t *testing.T, r Report, lines ...[]string) {
	t.Helper()
	var got [][]string
	for _, s := range r.Results {
		got = append(got, outcome(s))
	}
	if d := cmp.Diff(lines, got); d != "" {
		t.Errorf("outcome (-want +got):\n%s", d)
	}
}

// diary collects words from several goroutines.
type diary struct {
	mu    sync.Mutex
	words []string
}

func (d *diary) add(w string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.words = append(d.words, w)
}

func (d *diary) has(w string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.words, w)
}

var errBoom = errors.New("boom")
