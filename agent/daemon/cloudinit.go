package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// cloudInitWithin bounds the wait for cloud-init's network stage, from the
// pass's start: with a dead metadata service it takes minutes.
const cloudInitWithin = 30 * time.Second

// beforeIMDS puts another machine's files back: IMDS may be dead, and they must
// not stay because of it. Where cloud-init's network stage has not begun they go
// back at once, so that it works on the image's own files: our word to it not to
// name the host was for the other instance. A stage under way is let finish.
func (p *Pass) beforeIMDS(ctx context.Context, r *api.Report, machine facts.Machine, start time.Time) {
	wait := func(ctx context.Context, id string) bool {
		if p.Watch.Waiting != nil && awaited(p.Host, id) {
			p.Watch.Waiting("the end of cloud-init's network stage")
		}
		waited, err := settled(ctx, p.Host, id, start)
		note(r, err)
		return waited
	}
	if stranger(machine, machine.DMI) && !knownToDiffer(p.Host, machine.DMI, machine.Owner) {
		began := time.Since(start)
		if facts.ReadCloudInit(p.Host, machine.DMI).Begun && wait(ctx, machine.DMI) {
			r.Phases = append(r.Phases, report.Phase("cloud-init", began, time.Since(start)-began))
		}
		note(r, reclaim(ctx, p.Host, machine, machine.DMI))
	}
	p.Began = start
	p.Settle = func(ctx context.Context, f *facts.Facts) bool {
		waited := wait(ctx, f.InstanceID())
		if waited {
			f.Machine = facts.ReadMachine(p.Host)
		}
		return waited
	}
}

// settled waits until cloud-init's network stage has written what it will, so
// that no file is read by one and written by the other. It says whether there
// was anything to wait for; the error is a note for the report.
func settled(ctx context.Context, h *host.Host, id string, started time.Time) (waited bool, err error) {
	if !awaited(h, id) {
		return false, nil
	}
	ctx, cancel := context.WithDeadlineCause(ctx, started.Add(cloudInitWithin),
		fmt.Errorf("not within %s", cloudInitWithin))
	defer cancel()
	if waited, err = stageEnds(ctx, h, id); err != nil {
		err = fmt.Errorf("cloud-init's network stage %w; it may still write files of ours: `cloud-init status --long` says what it does", err)
	}
	return waited, err
}

// stageEnds waits for the end of cloud-init's network stage; the error says
// why it came back before.
func stageEnds(ctx context.Context, h *host.Host, id string) (waited bool, err error) {
	w, err := h.Watch()
	if err != nil {
		return false, fmt.Errorf("was not waited for: %w", err)
	}
	defer w.Close()
	for stage := (&cloudStage{h: h, id: id}); ; waited = true {
		// Before the look, so that no event is lost; again each time, as
		// folders come while cloud-init runs.
		for _, dir := range facts.CloudInitFolders(h) {
			if err := w.Add(dir); err != nil {
				return waited, fmt.Errorf("was not waited for: %w", err)
			}
		}
		if stage.over(ctx) {
			return waited, nil
		}
		select {
		case <-w.Events():
		case <-ctx.Done():
			return true, fmt.Errorf("has not ended (%w)", context.Cause(ctx))
		}
	}
}

func awaited(h *host.Host, id string) bool {
	return h.Live() && facts.ReadCloudInit(h, id).Writes() && !withinCloudInit(h)
}

// withinCloudInit says that cloud-init itself has started this pass: it would
// wait for its own child.
func withinCloudInit(h *host.Host) bool {
	text, err := h.ReadFile("/proc/self/cgroup")
	// Releases from 24.3 on run all stages in one process.
	return err == nil && slices.ContainsFunc(append([]string{"cloud-init-main.service"}, facts.CloudUnits...), func(u string) bool { return strings.Contains(string(text), "/"+u) })
}

// patience is how long a pass waits for another one. One that cloud-init has
// started in its network stage hardly does: the other may be waiting for that
// very stage, which no login comes before.
func patience(h *host.Host) time.Duration {
	if withinCloudInit(h) && facts.ReadCloudInit(h, facts.ReadIdentity(h).DMI).Writes() {
		return time.Second
	}
	return lockWait
}

// cloudStage looks at the stage: its own status, and what systemd knows of the
// unit, for a stage that has crashed says nothing more itself.
type cloudStage struct {
	h     *host.Host
	id    string
	mark  string // systemd's marks of the units when it was last asked
	asked bool
	gone  bool // systemd says that the stage does not run and will not
}

func (c *cloudStage) over(ctx context.Context) bool {
	if !facts.ReadCloudInit(c.h, c.id).Writes() {
		return true
	}
	// Asked again only when a unit of the stage came or went: while a machine
	// boots, others do so by the dozen.
	if mark := c.marks(); !c.asked || mark != c.mark {
		c.asked, c.mark = true, mark
		c.gone = c.notComing(ctx)
	}
	return c.gone
}

func (c *cloudStage) marks() string {
	var all []string
	for _, unit := range facts.CloudUnits {
		i, err := c.h.Lstat("/run/systemd/units/invocation:" + unit)
		if err == nil {
			all = append(all, i.Link)
		}
	}
	return strings.Join(all, " ")
}

// notComing says that no unit of the stage has begun or waits for its turn.
// While systemd does not answer, the stage's own status is all there is.
func (c *cloudStage) notComing(ctx context.Context) bool {
	var failed error
	for _, unit := range facts.CloudUnits {
		state, err := c.h.Units().State(ctx, unit)
		if state == "activating" || state == "reloading" {
			return false
		}
		failed = errors.Join(failed, err)
	}
	return failed == nil
}
