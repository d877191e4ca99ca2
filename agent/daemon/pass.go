package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
	"reveille/roles"
)

// flushWithin bounds the waiting for the disk at a pass's end: one that hangs
// keeps no pass open.
const flushWithin = 5 * time.Second

// Watcher is told how a pass goes; every field may be nil.
type Watcher struct {
	Waiting func(what string)              // for somebody else's work, before anything is changed
	Planned func(plan.Plan)                // before the first step
	Step    func(i int, r converge.Result) // each result, from one goroutine
}

// Pass makes one pass from facts to report. The report is whole whatever
// happened and has been kept on disk; the error says that it could not be
// kept, or that another pass would not end.
type Pass struct {
	agent.Config
	Kind  Kind
	Watch Watcher
	Tell  bool // send the report to the coordinators

	teller  *teller       // the daemon's own, which keeps trying; nil: one attempt
	Writers *host.Writers // who writes files, for naming who rewrites ours; nil: the files' own comments tell
}

// Outcome is a pass's report and what it was made from.
type Outcome struct {
	Report  api.Report
	Wanted  agent.Wanted
	Decided bool     // a profile and a plan were had, and no brake held them
	Done    bool     // … and every step had its turn
	Held    string   // the brake that held them, in words
	Whom    []string // URLs of the coordinators that should be told
}

// Run makes the pass.
func (p Pass) Run(ctx context.Context) (Outcome, error) {
	release, err := lockWithin(ctx, p.Config, patience(p.Host))
	if err != nil {
		return Outcome{}, err
	}
	out, err := p.patient().locked(ctx)
	release()
	if err == nil && p.Tell {
		p.tell(ctx, out)
	}
	return out, err
}

func (p Pass) locked(ctx context.Context) (Outcome, error) {
	start := time.Now()
	machine := facts.ReadIdentity(p.Host)
	r := report.Begin(string(p.Kind), machine, start)
	if p.Kind == Boot || !reported(p.Host, machine.BootID) {
		// A later look leaves the last outcome to be read while it goes on.
		if err := report.Save(p.Host, r); err != nil {
			return Outcome{Report: r}, err
		}
	}
	if max, _ := Allowed(p.Kind, machine.Brake.On(machine.DMI), "", start); max > plan.Nothing {
		p.beforeIMDS(ctx, &r, machine, start)
	}
	out := p.decideAndWalk(ctx, &r, start)
	out.Report.Hostname = hostname(p.Config, out.Report.Hostname)
	out.Report.TookMS = float64(time.Since(start).Microseconds()) / 1000
	report.Bound(&out.Report)
	if p.Tell {
		out.Whom = p.whom(out)
	}
	// One that was cut short, by a signal or its time-out, has left steps undone.
	out.Done = out.Decided && ctx.Err() == nil
	if err := report.Save(p.Host, out.Report); err != nil || p.Kind != Boot || !out.Done {
		return out, err
	}
	return out, noteBooted(p.Host, machine.BootID)
}

func (p Pass) decideAndWalk(ctx context.Context, r *api.Report, start time.Time) Outcome {
	w, err := p.decide(ctx, start)
	report.AddWanted(r, w)
	out := Outcome{Wanted: w}
	fail := func(err error) Outcome {
		r.State = api.Failed
		r.Errors = append(r.Errors, lines(err)...)
		out.Report = *r
		return out
	}
	if err != nil {
		var bad roles.Errors
		r.Misconfigured = errors.As(err, &bad) || errors.Is(err, agent.ErrInput)
		var unread *roles.UnknownFact
		if errors.As(err, &unread) {
			r.Notes = append(r.Notes, "nothing was decided, for what could not be read may ask for something else; `reveille debug imds` says what is wrong, and the next pass tries again")
		}
		return fail(err)
	}
	max, why := Allowed(p.Kind, w.Facts.Machine.Brake.On(w.Facts.InstanceID()), pauseTag(w.Facts), start)
	if out.Held = why; why != "" {
		r.Notes = append(r.Notes, why)
	}
	if moved := addressNote(p.Host, w.Facts); moved != "" {
		r.Notes = append(r.Notes, moved)
	}
	rest := func() {}
	if max > plan.Nothing {
		if rest, err = p.prepare(ctx, w); err != nil {
			return fail(err)
		}
		out.Decided = true
	}
	if p.Watch.Planned != nil {
		p.Watch.Planned(w.Plan)
	}
	err = p.walk(ctx, r, w, max, start)
	rest()
	if err != nil {
		return fail(err)
	}
	p.prove(r, w)
	if err := p.Host.FlushAll(flushWithin); err != nil {
		note(r, fmt.Errorf("what this pass wrote may not outlast a power cut: %w", err))
	}
	out.Report = *r
	return out
}

// walk makes the plan so, as far as this pass may.
func (p Pass) walk(ctx context.Context, r *api.Report, w agent.Wanted, max plan.Risk, start time.Time) error {
	steps := w.Plan
	var f *fights
	if max > plan.Nothing {
		var err error
		f, err = p.openFights(start)
		note(r, err)
		steps = f.leave(p.Host, steps)
	}
	if p.Kind == Timer {
		steps = hasty(steps)
	}
	gate, steps := agent.Guard(p.Host, w, steps, max)
	trials, steps := agent.Try(ctx, gate, steps, max)
	began := time.Since(start)
	walked, err := converge.Run(ctx, p.Host, steps, converge.Options{Max: max, On: func(i int, r converge.Result) {
		gate.Saw(r)
		if p.Watch.Step != nil {
			p.Watch.Step(i, r)
		}
	}})
	if err != nil {
		return err
	}
	trials.Open(walked)
	gate.Open(walked)
	note(r, gate.Note())
	r.Notes = append(r.Notes, trials.Notes()...)
	report.AddSteps(r, walked, began)
	p.settle(r, walked, max)
	if f != nil {
		note(r, f.settle(p.Host, r, walked))
	}
	return nil
}

// decide decides. Where DMI names no instance, IMDS is the first to tell that
// this is another machine than the one whose originals are kept here: those go
// back, and all is decided again from what is there then.
func (p Pass) decide(ctx context.Context, start time.Time) (agent.Wanted, error) {
	w, err := p.Decide(ctx)
	// The crawl may have taken half a minute: a brake that was pulled meanwhile
	// holds this pass already. One that was let go holds it all the same: the
	// pass has waited for nobody, as it was not to write.
	if now := facts.ReadBrake(p.Host); held(now.On(w.Facts.InstanceID()), "", start) != "" {
		w.Facts.Machine.Brake = now
	}
	m := w.Facts.Machine
	max, _ := Allowed(p.Kind, m.Brake.On(w.Facts.InstanceID()), pauseTag(w.Facts), start)
	if max == plan.Nothing || !stranger(m, w.Facts.InstanceID()) {
		return w, err
	}
	if err := reclaim(ctx, p.Host, m, w.Facts.InstanceID()); err != nil {
		return w, err
	}
	return p.Decide(ctx)
}

// note enters what was not as it should be, and kept nothing from going on.
func note(r *api.Report, err error) {
	if err != nil && !slices.Contains(r.Notes, err.Error()) {
		r.Notes = append(r.Notes, err.Error())
	}
}

func (p Pass) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}

func pauseTag(f facts.Facts) string { return f.Instance.Tags.Or(nil)["reveille:pause"] }

// hostname is the name after the pass: a step may have changed it, and so may
// what was put back of another machine's, though nothing could be decided.
func hostname(c agent.Config, before string) string {
	if now := facts.ReadHostname(c.Host); now != "" {
		return now
	}
	return before
}

// lines takes joined errors apart, so that each stands alone in the report.
// One that wraps several with words of its own between them stays whole.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	if joined := errors.Join(many.Unwrap()...); joined == nil || joined.Error() != err.Error() {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range many.Unwrap() {
		all = append(all, lines(e)...)
	}
	return all
}
