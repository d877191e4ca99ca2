package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
	"reveille/roles"
)

// flushWithin bounds the waiting for the disk at a pass's end: one that hangs
// keeps no pass open.
const flushWithin = 5 * time.Second

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
	fresh, err := neverComplete(p.Host, w.Facts)
	note(r, err)
	max, why := Allowed(p.Kind, fresh, w.Facts.Machine.Brake.On(w.Facts.InstanceID()), pauseTag(w.Facts), start)
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
	grant, max, err := p.grant(w.Facts, w.Plan, max)
	note(r, err)
	err = p.walk(ctx, r, w, max, grant, start)
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
func (p Pass) walk(ctx context.Context, r *api.Report, w agent.Wanted, max plan.Risk, grant plan.Grant, start time.Time) error {
	steps := unhurried(ctx, w.Plan, grant)
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
	wake, unwatch := p.wake(ctx, w.Plan, max)
	defer unwatch()
	storage, unnoted := tallyOf(w.Plan), error(nil)
	began := time.Since(start)
	walked, err := converge.Run(ctx, p.Host, steps, converge.Options{Max: max, Grant: grant, Wake: wake, On: func(i int, r converge.Result) {
		gate.Saw(r)
		if storage.saw(r) {
			unnoted = p.noteComplete(w.Facts, max)
		}
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
	note(r, unnoted)
	if f != nil {
		note(r, f.settle(p.Host, r, walked))
	}
	return nil
}

// decide decides. Where DMI names no instance, IMDS is the first to tell that
// this is another machine than the one whose originals are kept here: those go
// back, and all is decided again from what is there then.
func (p Pass) decide(ctx context.Context, start time.Time) (agent.Wanted, error) {
	p.Facts.Volumes = asksEC2(p.Kind)
	w, err := p.Decide(ctx)
	// The crawl may have taken half a minute: a brake that was pulled meanwhile
	// holds this pass already. One that was let go holds it all the same: the
	// pass has waited for nobody, as it was not to write.
	if now := facts.ReadBrake(p.Host); held(now.On(w.Facts.InstanceID()), "", start) != "" {
		w.Facts.Machine.Brake = now
	}
	m := w.Facts.Machine
	max, _ := Allowed(p.Kind, false, m.Brake.On(w.Facts.InstanceID()), pauseTag(w.Facts), start)
	if max == plan.Nothing || !stranger(m, w.Facts.InstanceID()) {
		return w, err
	}
	if err := reclaim(ctx, p.Host, m, w.Facts.InstanceID()); err != nil {
		return w, err
	}
	return p.Decide(ctx)
}

func pauseTag(f facts.Facts) string { return f.Instance.Tags.Or(nil)["reveille:pause"] }
