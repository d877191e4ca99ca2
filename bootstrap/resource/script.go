package resource

import (
	"context"
	"fmt"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// DefaultScript bounds a script that names no bound of its own.
const DefaultScript = 2 * time.Minute

// Script is a program that prepares the machine, run once in an instance's
// life. Its ID is "script:" + Path; it is live.
//
// It runs as a unit of its own, so that it goes on when the agent is stopped
// or started anew; a later look, of whichever pass, waits for it and notes how
// it ended. That it begins is on the disk before it does: one whose end nobody
// can tell any more (a power cut), or that failed, is never run a second time
// by itself, since nobody knows how far it came. Its content is not looked at:
// an updated package must not run it again on a machine that serves. A new
// path is a new script.
type Script struct {
	Path    string
	Journal string        // the instance's own folder for what has been run
	Within  time.Duration // zero is DefaultScript
}

// ScriptGrace is what the step of a script needs beyond the script's own
// bound: to end it, and to note how it ended.
const ScriptGrace = host.KillAfter + 5*time.Second

// ID is "script:" and the path.
func (s Script) ID() string { return "script:" + s.Path }

// Live is true: no program of a machine in a folder is run.
func (Script) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (s Script) Describe() string {
	return fmt.Sprintf("run once on this instance, within %s\nnoted in %s\n", s.within(), s.Journal)
}

func (s Script) within() time.Duration {
	if s.Within == 0 {
		return DefaultScript
	}
	return s.Within
}

// Check reads the journal, and asks systemd where the journal knows no end.
func (s Script) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", s.ID(), host.ErrOffline)
	}
	r, err := s.read(h)
	if err != nil {
		return nil, err
	}
	switch r.State {
	case scriptDone:
		return nil, nil
	case scriptFailed:
		return nil, fmt.Errorf("%s was run at %s and failed: %s; %s", s.Path, r.Began, r.Said, s.again())
	case scriptBegan:
		return s.follow(ctx, h, r)
	}
	if t, err := h.Units().Task(ctx, s.unit()); err != nil {
		return nil, err
	} else if t.Running() { // its entry was removed meanwhile
		return nil, s.wait(s.unit())
	}
	if err := trusted(h, s.Path); err != nil {
		return nil, err
	}
	do := func(ctx context.Context) error { return s.launch(ctx, h) }
	return []plan.Change{{Say: "run " + s.Path + " (once on this instance)", Risk: plan.Disrupts, Do: do}}, nil
}

// follow looks at a script that has begun. That it has ended is noted by any
// pass that may change anything at all: the note is ours, and the machine is
// not touched by it.
func (s Script) follow(ctx context.Context, h *host.Host, r scriptRecord) ([]plan.Change, error) {
	boot, err := h.BootID()
	if err != nil {
		return nil, err
	}
	var t host.TaskState
	if r.Boot == boot && r.Unit != "" {
		if t, err = h.Units().Task(ctx, r.Unit); err != nil {
			return nil, err
		}
	}
	switch {
	case t.Running():
		return nil, s.wait(r.Unit)
	case t.State == "active", t.State == "failed":
		do := func(ctx context.Context) error { return s.end(ctx, h, r, t) }
		return []plan.Change{{Say: "note how " + s.Path + " ended", Risk: plan.Safe, Do: do}}, nil
	}
	return nil, fmt.Errorf("%s began at %s and was cut short: nobody saw its end; see how far it came; %s", s.Path, r.Began, s.again())
}

func (s Script) wait(unit string) error {
	return &plan.NotYet{For: s.Path + " to end; " + host.LogOf(unit) + " shows what it says"}
}

// again is what a person may do about a script that is not run by itself.
func (s Script) again() string {
	return fmt.Sprintf("it is not run again by itself: `rm %s` lets the next pass run it, `touch %s` calls it done", s.entry(), s.done())
}
