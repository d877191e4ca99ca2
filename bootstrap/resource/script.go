package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// DefaultScript bounds a script that names no bound of its own.
const DefaultScript = 2 * time.Minute

// Script is a program that prepares the machine, run once in an instance's
// life. Its ID is "script:" + Path; it is live.
//
// That it begins is on the disk before it does: one that was cut short (a kill,
// a power cut) or that failed is never run a second time by itself, since
// nobody knows how far it came. Its content is not looked at: an updated
// package must not run it again on a machine that serves. A new path is a new
// script.
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

// Check reads the journal, and the program's owner and mode.
func (s Script) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
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
		return nil, fmt.Errorf("%s began at %s and was cut short, or goes on without the agent: nobody noted its end; see whether it runs and how far it came; %s", s.Path, r.Began, s.again())
	}
	if err := trusted(h, s.Path); err != nil {
		return nil, err
	}
	do := func(ctx context.Context) error { return s.run(ctx, h) }
	return []plan.Change{{Say: "run " + s.Path + " (once on this instance)", Risk: plan.Disrupts, Do: do}}, nil
}

// again is what a person may do about a script that is not run by itself.
func (s Script) again() string {
	return fmt.Sprintf("it is not run again by itself: `rm %s` lets the next pass run it, `touch %s` calls it done", s.entry(), s.done())
}

// run notes, runs, and notes again. The journal is read once more: two steps
// never run one script.
func (s Script) run(ctx context.Context, h *host.Host) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch r, err := s.read(h); {
	case err != nil:
		return err
	case r.State != "":
		return fmt.Errorf("%s was begun by somebody else at %s", s.Path, r.Began)
	}
	began := scriptRecord{Version: 1, Path: s.Path, State: scriptBegan, Began: time.Now().UTC().Format(time.RFC3339)}
	if err := s.write(h, began); err != nil {
		return fmt.Errorf("%s was not run: note that it begins: %w", s.Path, err)
	}
	failed := runScript(ctx, h, s.Path, s.within())
	ended := began
	ended.Ended, ended.State = time.Now().UTC().Format(time.RFC3339), scriptDone
	if failed != nil {
		ended.State, ended.Said = scriptFailed, failed.Error()
	}
	if err := s.write(h, ended); err != nil {
		return errors.Join(failed, fmt.Errorf("%s was run, but not noted as ended: %w", s.Path, err))
	}
	if failed != nil {
		return fmt.Errorf("%s: %w; %s", s.Path, failed, s.again())
	}
	return nil
}

// runScript runs a program to its end, or ends it. The error says how it ended
// and its last words.
func runScript(ctx context.Context, h *host.Host, program string, within time.Duration) error {
	own, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	out, err := h.Run(own, program)
	var exit *host.ExitError
	switch {
	case err == nil, errors.Is(err, host.ErrTooLarge) && out.Code == 0: // that it said much is no fault of its
		return nil
	case own.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("not ended within %s, and so killed%s", within, lastWords(out))
	case ctx.Err() != nil:
		return fmt.Errorf("killed before its end (%w)%s", context.Cause(ctx), lastWords(out))
	case errors.As(err, &exit) && exit.Code >= 0:
		return fmt.Errorf("exit code %d%s", exit.Code, lastWords(exit.Output))
	case exit != nil:
		return fmt.Errorf("ended by a signal%s", lastWords(exit.Output))
	}
	return err
}

// lastWords are the end of what a program said, on standard error if it said
// anything there.
func lastWords(out host.Output) string {
	const most = 400
	said := strings.TrimSpace(string(out.Stderr))
	if said == "" {
		said = strings.TrimSpace(string(out.Stdout))
	}
	if said == "" {
		return ", without a word"
	}
	if len(said) > most {
		said = "…" + said[len(said)-most:]
	}
	return ": " + strings.ToValidUTF8(said, "?")
}
