package converge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Run walks the plan and returns how each step ended. Its error says that the
// plan itself is unsound; nothing was looked at or done then. A cancelled
// context is no error of Run: the steps say what became of them.
//
// It returns once every step has ended, and no later than Grace after the last
// deadline: a step that does not stop then is left behind (ErrAbandoned).
func Run(ctx context.Context, h *host.Host, p plan.Plan, o Options) (Report, error) {
	if err := p.Validate(); err != nil {
		return Report{}, fmt.Errorf("this plan cannot be walked, nothing was done: %w", err)
	}
	ctx = plan.WithGrant(plan.WithAllowed(ctx, o.Max), o.Grant)
	w := newWalk(h, p.Normal(), o)
	for i, n := range w.unsettled {
		if n == 0 {
			w.begin(ctx, i)
		}
	}
	w.tell()
	for w.running > 0 {
		end := <-w.ends
		w.running--
		w.settle(ctx, end.i, end.Result)
		w.tell()
	}
	return Report{Results: w.results, Took: time.Since(w.start)}, nil
}

// walk is the state of one Run. Only the goroutine of Run touches it; the
// steps' own goroutines hand their ends over through the channel.
type walk struct {
	host      *host.Host
	plan      plan.Plan
	opts      Options
	start     time.Time
	needs     [][]int // places in the plan
	after     [][]int // those that need only have ended
	waitedBy  [][]int // whom a step holds up, for either reason
	unsettled []int   // how many of needs and after have not ended yet
	results   []Result
	untold    []int
	running   int
	ends      chan end
}

type end struct {
	i int
	Result
}

func newWalk(h *host.Host, p plan.Plan, o Options) *walk {
	w := &walk{
		host: h, plan: p, opts: o, start: time.Now(),
		needs: make([][]int, len(p)), after: make([][]int, len(p)), waitedBy: make([][]int, len(p)),
		unsettled: make([]int, len(p)), results: make([]Result, len(p)),
		ends: make(chan end, len(p)),
	}
	ids := p.IDs()
	for i, s := range p {
		w.needs[i] = places(ids, s.Needs)
		w.after[i] = slices.DeleteFunc(places(ids, s.After), func(at int) bool { return slices.Contains(w.needs[i], at) })
		for _, at := range slices.Concat(w.needs[i], w.after[i]) {
			w.waitedBy[at] = append(w.waitedBy[at], i)
			w.unsettled[i]++
		}
	}
	return w
}

// places are where these steps stand in the plan, each once.
func places(ids, of []string) []int {
	var out []int
	for _, id := range of {
		if at := slices.Index(ids, id); !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

// settle notes how a step ended and begins those that waited for it alone.
func (w *walk) settle(ctx context.Context, i int, r Result) {
	w.results[i] = r
	w.untold = append(w.untold, i)
	for _, next := range w.waitedBy[i] {
		if w.unsettled[next]--; w.unsettled[next] == 0 {
			w.begin(ctx, next)
		}
	}
}

// begin starts a step when all that it waits for has ended, or says why it cannot. It
// waits for all needs even where the first has failed, so that the same
// outcome always has the same words.
func (w *walk) begin(ctx context.Context, i int) {
	r := Result{Step: w.plan[i], Start: time.Since(w.start)}
	notSo, unseen := w.lacking(i)
	switch {
	case len(notSo) > 0 && w.plan[i].Lasting && ctx.Err() == nil:
		w.running++
		s := &stepRun{walk: w, step: w.plan[i]}
		go func() { w.ends <- end{i, s.lookOnly(ctx, r, notSo)} }()
		return
	case len(notSo) > 0:
		r.State, r.Err = Blocked, fmt.Errorf("needs %s", strings.Join(notSo, ", "))
	case ctx.Err() != nil:
		r.State, r.Err = Blocked, fmt.Errorf("stopped before its turn: %w", context.Cause(ctx))
	default:
		w.running++
		s := &stepRun{walk: w, step: w.plan[i], unseen: unseen}
		go func() { w.ends <- end{i, s.run(ctx, r)} }()
		return
	}
	w.settle(ctx, i, r)
}

// lacking are the needs, with their states, that keep a step from beginning,
// and, in a dry run, those that only keep it from being seen as it will be:
// they would have been made so by then. What a step only comes after keeps it
// from nothing.
func (w *walk) lacking(i int) (notSo, unseen []string) {
	for _, at := range w.needs[i] {
		state := w.results[at].State
		name := fmt.Sprintf("%s (%s)", w.plan[at].ID(), state)
		switch {
		case state.So():
		case w.dry() && (state == Drifted || state == Unknown):
			unseen = append(unseen, name)
		default:
			notSo = append(notSo, name)
		}
	}
	for _, at := range w.after[i] {
		if state := w.results[at].State; w.dry() && (state == Drifted || state == Unknown) {
			unseen = append(unseen, fmt.Sprintf("%s (%s)", w.plan[at].ID(), state))
		}
	}
	return notSo, unseen
}

func (w *walk) dry() bool { return w.opts.Max <= plan.Nothing }

// tell comes after everything that could begin has begun, so that a slow
// listener holds up no step that was free to go.
func (w *walk) tell() {
	for _, i := range w.untold {
		if w.opts.On != nil {
			w.opts.On(i, w.results[i])
		}
	}
	w.untold = nil
}
