package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// Hold stops every pass from changing anything, for the given reason, until
// Resume or for the given time (zero: until Resume). It outlives a reboot. The
// brake is on the disk before Hold waits for a pass under way; the error says
// so where that pass did not end in time, or was not seen to.
func Hold(ctx context.Context, c agent.Config, reason string, d time.Duration) error {
	p := facts.Pause{Reason: reason, Instance: pausing(c.Host)}
	if d > 0 {
		p.Until = time.Now().Add(d).UTC().Truncate(time.Second)
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	write := func() error {
		if err := c.Host.Write(facts.PausePath, append(b, '\n'), host.Public); err != nil {
			return fmt.Errorf("pause: %w", err)
		}
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	release, err := lock(ctx, c)
	if err != nil {
		return fmt.Errorf("paused, but what was under way before may still change this machine: %w", err)
	}
	defer release()
	return write() // a clean that was under way has taken it away
}

// pausing is the id of the machine that is paused, so that an image of it does
// not come up paused: DMI's, else the one that this boot's pass has found. ""
// where neither knows one; IMDS is not asked, as it may be what is broken.
func pausing(h *host.Host) string {
	m := facts.ReadIdentity(h)
	if m.DMI != "" {
		return m.DMI
	}
	if r, err := report.Load(h); err == nil && r.BootID == m.BootID {
		return r.InstanceID
	}
	return ""
}

// Resume takes Hold back. It does not wait for a pass under way: that pass has
// read the brake already.
func Resume(c agent.Config) error {
	if err := c.Host.Remove(facts.PausePath); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	return nil
}
