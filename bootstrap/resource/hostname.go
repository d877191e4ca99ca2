package resource

import (
	"context"
	"fmt"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// MaxHostname is how much of a host name the kernel keeps, in bytes: fewer than
// DNS does.
const MaxHostname = 64

// ID is "hostname".
func (Hostname) ID() string { return "hostname" }

// Live is true: the host name is the running kernel's.
func (Hostname) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (n Hostname) Describe() string { return n.Name + "\n" }

// Check compares the live host name. The one before our first change is kept,
// so that a restore can put it back.
func (n Hostname) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	if n.Name == "" || len(n.Name) > MaxHostname {
		return nil, fmt.Errorf("host name %q: the kernel takes 1 to %d bytes", n.Name, MaxHostname)
	}
	now, err := h.Hostname()
	if err != nil {
		return nil, err
	}
	if now == n.Name {
		return nil, nil
	}
	do := func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, err := h.Hostname()
		if err != nil || now == n.Name {
			return err
		}
		if err := originals.KeepHostname(h, now); err != nil {
			return err
		}
		return h.SetHostname(n.Name)
	}
	say := fmt.Sprintf("set the live host name to %s (was %s)", n.Name, now)
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: do}}, nil
}
