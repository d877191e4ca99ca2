package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const (
	// mdWithin bounds one call of mdadm, which waits for its devices alone.
	mdWithin = time.Minute
	// mdSettle is how long a whole array may lie about without being started:
	// udev adds its members one after another, and starts it with the last.
	mdSettle = 2 * time.Second
)

// node is what the array is asked to be called. udev may have called it
// otherwise, which is as good.
func (a MDArray) node() string { return "/dev/md/" + a.Name }

// assemble starts an array that does not run. Nothing is forced: members that
// mdadm would leave behind are left out, and the policy decides.
func (a MDArray) assemble(ctx context.Context, h *host.Host, s mdSight) ([]plan.Change, error) {
	fresh, _ := s.fresh()
	say := fmt.Sprintf("assemble %s of %s", a.ID(), many("volume", ids(fresh)))
	if len(fresh) < a.Count {
		lacks := a.lacks(s, func(m mdMember) bool {
			return slices.ContainsFunc(fresh, func(f mdMember) bool { return f.Volume == m.Volume })
		})
		if err := a.degradable(len(fresh), lacks); err != nil {
			return nil, err
		}
		if err := a.outside(ctx, h, s.uuids()[0], notStarted); err != nil {
			return nil, fmt.Errorf("%s; %w", lacks, err)
		}
		how := "read-only"
		if a.Degraded == DegradedStart {
			how = "degraded"
		}
		say = fmt.Sprintf("assemble %s %s of %s: %s", a.ID(), how, many("volume", ids(fresh)), lacks)
	}
	do := func(ctx context.Context) error { return a.start(ctx, h) }
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: do}}, nil
}

// degradable refuses what cannot, or by the profile may not, be started with so
// many members.
func (a MDArray) degradable(members int, lacks string) error {
	least := map[int]int{0: a.Count, 1: 1, 5: a.Count - 1, 6: a.Count - 2, 10: (a.Count + 1) / 2}[a.Level]
	switch {
	case members < least:
		remedy := "attach what is missing"
		if a.allGone(a.members()) {
			remedy = "what was on it is lost; where that is so, stop and start the instance, whose disks are empty then, or `mdadm --stop` what udev has put together of the others and `blkdiscard --zeroout` each: the next boot makes it anew"
		}
		return fmt.Errorf("%s, and a raid%d of %d volumes needs %d of them: it cannot be started; %s", lacks, a.Level, a.Count, least, remedy)
	case a.Degraded == DegradedRefuse:
		return fmt.Errorf("%s, and degraded is refuse; attach it, or set degraded: read-only or start", lacks)
	}
	return nil
}

func ids(members []mdMember) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.Volume)
	}
	return all
}

// start looks again, lets udev end what it has begun, takes away what is left
// of that, and assembles.
func (a MDArray) start(ctx context.Context, h *host.Host) error {
	s, err := a.settled(ctx, h)
	if err != nil {
		return err
	}
	r, err := a.present(s)
	if err != nil {
		return err
	}
	if r != nil && r.Running() {
		return nil // the next look judges it
	}
	if err := a.strangers(s); err != nil {
		return err
	}
	fresh, _ := s.fresh()
	if len(fresh) < a.Count {
		if err := a.degradable(len(fresh), "it has changed meanwhile"); err != nil {
			return err
		}
		if err := a.outside(ctx, h, s.uuids()[0], notStarted); err != nil {
			return err
		}
	}
	if err := a.stop(ctx, h, s); err != nil {
		return err
	}
	argv := []string{"mdadm", "--assemble", a.node(), "--uuid=" + s.uuids()[0], "--homehost=any"}
	if len(fresh) < a.Count {
		argv = append(argv, "--run")
		if a.Degraded != DegradedStart {
			argv = append(argv, "--readonly")
		}
	}
	for _, m := range fresh {
		argv = append(argv, m.Node())
	}
	return a.orUdev(ctx, h, tool(ctx, h, a.ID(), mdWithin, argv...))
}

// settled looks until a whole array that lies about runs, or its time is over.
func (a MDArray) settled(ctx context.Context, h *host.Host) (mdSight, error) {
	end := time.Now().Add(mdSettle)
	for pause := toolFirst; ; pause = min(2*pause, toolLongest) {
		s, err := a.look(ctx, h)
		if err != nil {
			return s, err
		}
		fresh, _ := s.fresh()
		waiting := len(fresh) == a.Count && len(s.arrays) > 0
		for _, r := range s.arrays {
			waiting = waiting && !r.Running()
		}
		if len(s.uuids()) == 0 {
			return s, fmt.Errorf("the superblocks of %s have gone meanwhile; nothing was touched", strings.Join(a.Over, ", "))
		}
		if !waiting || !time.Now().Before(end) {
			return s, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}

// stop takes away arrays of the volumes that do not run. Nothing is lost by it:
// they have nothing that can be read.
func (a MDArray) stop(ctx context.Context, h *host.Host, s mdSight) error {
	if err := s.otherMembers(); err != nil {
		return err
	}
	for _, r := range s.arrays {
		if r.Running() {
			continue
		}
		if err := tool(ctx, h, a.ID(), mdWithin, "mdadm", "--stop", r.Node()); err != nil {
			return a.orUdev(ctx, h, err)
		}
	}
	return nil
}

// orUdev is mdadm's own error, unless there is an array of the volumes now: then
// udev was faster, and the next look judges it.
func (a MDArray) orUdev(ctx context.Context, h *host.Host, err error) error {
	var wait *plan.NotYet
	if err == nil || errors.As(err, &wait) {
		return err
	}
	if s, lost := a.look(ctx, h); lost == nil && slices.ContainsFunc(s.arrays, func(r block.Array) bool { return r.Running() }) {
		return &plan.NotYet{For: fmt.Sprintf("udev, which assembles %s as well", a.ID())}
	}
	return err
}
