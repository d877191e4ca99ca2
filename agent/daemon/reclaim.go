package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
	"reveille/roles"
)

// reclaim puts the image's own files back where those of another instance are
// found: an image was made of a machine that the agent had already changed.
// An id that is not known proves nothing, so nothing is done then.
func reclaim(ctx context.Context, h *host.Host, m facts.Machine, id string) error {
	if !stranger(m, id) {
		return nil
	}
	rep, err := putBack(ctx, h, plan.Disrupts, nil)
	if err := errors.Join(err, problems(rep)); err != nil {
		return fmt.Errorf("put back what was changed on %s, whose files this machine has: %w", m.Owner, err)
	}
	return nil
}

func stranger(m facts.Machine, id string) bool {
	return m.Owner != "" && id != "" && m.Owner != id
}

// putBack restores every kept original. It walks an ordinary plan, so that
// what a dry run prints is what will be done.
func putBack(ctx context.Context, h *host.Host, max plan.Risk, on func(int, converge.Result)) (converge.Report, error) {
	p, damaged := originalsPlan(h)
	if max > plan.Nothing {
		if err := sweep(h, nil, facts.ReadIdentity(h).DMI); err != nil {
			h.Log().Warn("left for a later pass", "error", err)
		}
	}
	rep, err := converge.Run(ctx, h, p, converge.Options{Max: max, On: on})
	if err == nil && max > plan.Nothing && !h.Live() {
		// A folder has no live host name to put back, and what is kept would
		// tie it to its first instance for ever.
		err = originals.ForgetHostname(h)
	}
	return rep, errors.Join(err, damaged)
}

// sweep takes away the temporary files that a killed run has left.
func sweep(h *host.Host, p plan.Plan, id string) error {
	err := errors.Join(resource.Sweep(h, p), storage.Sweep(h))
	for _, path := range []string{report.Path, facts.PausePath, facts.CachePath(id)} {
		err = errors.Join(err, h.Sweep(filepath.Dir(path)))
	}
	if err != nil {
		return fmt.Errorf("take away what a killed run has left: %w", err)
	}
	return nil
}

// originalsPlan puts back all that is kept. One record that cannot be read is
// an error and keeps no other from going back.
func originalsPlan(h *host.Host) (plan.Plan, error) {
	kept, err := originals.Load(h)
	if err != nil {
		err = fmt.Errorf("read the kept originals: %w", err)
	}
	var p plan.Plan
	for _, o := range resource.Originals(kept) {
		p = append(p, plan.Step{
			Resource: o,
			Concern:  "restore",
			Needs:    needs(o.Path, kept),
			Why:      "the image's own, kept before the first change",
			Required: true,
		})
	}
	if !h.Live() {
		p = p.Offline()
	}
	return p, err
}

// needs are the originals that go back before this one, as far as they are kept.
func needs(path string, kept originals.Store) []string {
	there := map[string]bool{}
	for _, o := range resource.Originals(kept) {
		there[o.ID()] = true
	}
	var ids []string
	for _, e := range kept.List() {
		if e.Path != path {
			continue
		}
		for _, id := range roles.GoesBackAfter(e.Path, e.Concern) {
			if there[id] {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func problems(r converge.Report) error {
	var all []error
	for _, got := range r.Results {
		if got.Err != nil {
			all = append(all, fmt.Errorf("%s: %w", got.Step.ID(), got.Err))
		}
	}
	return errors.Join(all...)
}

// Restore takes back everything that the agent changed on this machine. With
// dry set it only says what it would do.
func Restore(ctx context.Context, c agent.Config, dry bool, on func(int, converge.Result)) (converge.Report, error) {
	release, err := lock(ctx, c)
	if err != nil {
		return converge.Report{}, err
	}
	defer release()
	return restore(ctx, c, dry, on)
}

// restore is Restore under the caller's lock.
func restore(ctx context.Context, c agent.Config, dry bool, on func(int, converge.Result)) (converge.Report, error) {
	max := plan.Disrupts
	if dry {
		max = plan.Nothing
	}
	rep, err := putBack(ctx, c.Host, max, on)
	if dry {
		return rep, err
	}
	return rep, errors.Join(err, problems(rep))
}

// left is what a baked image must not carry into another machine.
var left = []string{"/var/lib/reveille", "/run/reveille"}

// nobodysWork refuses to go on where a restore has saved what somebody else
// wrote over a file of ours: there is no other copy of it.
func nobodysWork(h *host.Host) error {
	saved, err := h.Glob(resource.SavedDir + "/*")
	if err != nil || len(saved) == 0 {
		return err
	}
	return fmt.Errorf("the image's files are back, but these hold the only copy of what somebody else had written over them: %s; "+
		"take what is wanted, remove %s, and run clean again", strings.Join(saved, ", "), resource.SavedDir)
}

// Clean restores, and then removes everything that belongs to this instance
// alone, so that the machine may be made an image of. It refuses while the
// daemon, a startup script or a storage tool runs: they would write again before the image is
// made.
func Clean(ctx context.Context, c agent.Config, dry bool, on func(int, converge.Result)) (converge.Report, error) {
	if err := noDaemon(ctx, c.Host); err != nil && !dry {
		return converge.Report{}, err
	}
	release, err := lock(ctx, c)
	if err != nil {
		return converge.Report{}, err
	}
	// Held to the end: what a pass kept in between would be removed with the rest.
	defer release()
	if err := errors.Join(noScript(ctx, c.Host), noTool(ctx, c.Host)); err != nil && !dry {
		return converge.Report{}, err
	}
	rep, err := restore(ctx, c, dry, on)
	if err != nil || dry {
		return rep, err
	}
	if err := nobodysWork(c.Host); err != nil {
		return rep, err
	}
	var all []error
	for _, dir := range left {
		all = append(all, c.Host.RemoveAll(dir))
	}
	return rep, errors.Join(all...)
}
