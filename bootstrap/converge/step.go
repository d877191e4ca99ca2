package converge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/plan"
)

// stepRun is one step on its way. Only its own goroutine touches it: the
// resource's code runs in another, which hands over an answer a call.
type stepRun struct {
	*walk
	step   plan.Step
	hand   hand     // runs the resource's code
	unseen []string // dry run: needs that would be so by now

	done  []plan.Change // what was done, over all attempts
	whole bool          // all that the last look asked for was done
}

// run takes the step to its end and fills in the result.
func (s *stepRun) run(ctx context.Context, r Result) Result {
	within := s.step.Within
	if within == 0 {
		within = plan.DefaultWithin
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, &late{within})
	defer cancel()
	s.hand = newHand()
	defer close(s.hand)
	pause := newPause()
	for {
		r.Attempts++
		wake := s.wake() // before the look: an event during it must not be lost
		r.State, r.Changes, r.Err = s.attempt(ctx)
		waits := waitsFor(r.Err)
		r.Facts = r.Facts || slices.ContainsFunc(waits, func(n *plan.NotYet) bool { return n.Facts })
		if len(waits) == 0 || s.dry() {
			break
		}
		if !pause.wait(ctx, wake) {
			r.Err = fmt.Errorf("%w: %w", context.Cause(ctx), r.Err)
			break
		}
	}
	r.Took = time.Since(s.start) - r.Start
	return r
}

// lookOnly looks once at a step whose needs are not so: it is ok if it was made
// so before, and blocked if anything is left to do.
func (s *stepRun) lookOnly(ctx context.Context, r Result, notSo []string) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, plan.DefaultWithin, &late{plan.DefaultWithin})
	defer cancel()
	s.hand = newHand()
	defer close(s.hand)
	r.Attempts = 1
	changes, err := s.look(ctx)
	switch {
	case err == nil && len(changes) == 0:
		r.State = OK
	default:
		r.State, r.Err = Blocked, fmt.Errorf("needs %s", strings.Join(notSo, ", "))
		if err != nil && waitsFor(err) == nil {
			r.Err = fmt.Errorf("%w; %w", r.Err, err)
		}
	}
	r.Took = time.Since(s.start) - r.Start
	return r
}

func (s *stepRun) wake() <-chan struct{} {
	if s.opts.Wake == nil || s.dry() {
		return nil
	}
	return s.opts.Wake()
}

// attempt looks, does what is wanted and allowed, and looks again.
func (s *stepRun) attempt(ctx context.Context) (State, []plan.Change, error) {
	for {
		changes, err := s.look(ctx)
		if unseen := s.unseenYet(ctx, err); unseen != nil {
			return Unknown, nil, unseen
		}
		switch {
		case err != nil:
			return Failed, s.done, err
		case len(changes) == 0 && len(s.done) == 0:
			return OK, nil, nil
		case len(changes) == 0:
			return Changed, s.done, nil
		case s.whole:
			return Failed, s.done, fmt.Errorf("still not so after: %s; a second look asks for: %s", say(s.done), say(changes))
		}
		if err := sound(changes); err != nil {
			return Failed, s.done, fmt.Errorf("nothing was done: %w", err)
		}
		if worst := s.above(changes); worst != nil {
			if len(s.done) == 0 {
				return Drifted, changes, nil
			}
			return Failed, s.done, fmt.Errorf("half done: what is left may not be done now: %s (%s)", worst.Say, worst.Risk)
		}
		if err := s.act(ctx, changes); err != nil {
			return Failed, s.done, err
		}
	}
}

// act does the changes in order. It stops at the first that fails, since each
// may rest on those before it: nothing is renamed over a file because its
// content could not be written.
func (s *stepRun) act(ctx context.Context, changes []plan.Change) error {
	for _, c := range changes {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: not begun: %w", c.Say, context.Cause(ctx))
		}
		_, err := guarded(ctx, s.hand, s.step.ID()+": "+c.Say, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, c.Do(ctx)
		})
		if err == nil || waitsFor(err) != nil {
			s.note(c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Say, withCause(ctx, err))
		}
	}
	s.whole = true
	return nil
}

// note keeps a change as done. One that was begun again after a wait counts once.
func (s *stepRun) note(c plan.Change) {
	for i, d := range s.done {
		if d.Say == c.Say {
			s.done[i] = c
			return
		}
	}
	s.done = append(s.done, c)
}

func (s *stepRun) look(ctx context.Context) ([]plan.Change, error) {
	changes, err := guarded(ctx, s.hand, s.step.ID()+": look", func(ctx context.Context) ([]plan.Change, error) {
		return s.step.Check(ctx, s.host)
	})
	return changes, withCause(ctx, err)
}

// unseenYet is the error of a dry run's look that failed for no fault: a real
// run would have waited, or would have made the step's needs so first.
func (s *stepRun) unseenYet(ctx context.Context, err error) error {
	var fault *Panic
	switch {
	case err == nil, !s.dry(), ctx.Err() != nil, errors.As(err, &fault):
		return nil
	case len(s.unseen) > 0:
		return fmt.Errorf("cannot be seen before what it needs is so: %s: %w", strings.Join(s.unseen, ", "), err)
	case waitsFor(err) != nil:
		return err
	}
	return nil
}

func (s *stepRun) above(changes []plan.Change) *plan.Change {
	for i, c := range changes {
		if c.Risk > s.opts.Max {
			return &changes[i]
		}
	}
	return nil
}

// sound refuses changes that a resource forgot to finish, before any is done:
// a risk left at zero would pass every gate.
func sound(changes []plan.Change) error {
	var errs []error
	for i, c := range changes {
		name := fmt.Sprintf("change %d (%s)", i+1, c.Say)
		if c.Say == "" {
			errs = append(errs, fmt.Errorf("change %d does not say what it is", i+1))
		}
		if c.Risk <= plan.Nothing || c.Risk > plan.Destroys {
			errs = append(errs, fmt.Errorf("%s has no risk that there is: %s", name, c.Risk))
		}
		if c.Do == nil {
			errs = append(errs, fmt.Errorf("%s cannot be done: it has no Do", name))
		}
	}
	return errors.Join(errs...)
}

func say(changes []plan.Change) string {
	var words []string
	for _, c := range changes {
		words = append(words, c.Say)
	}
	return strings.Join(words, ", ")
}
