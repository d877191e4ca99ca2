package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// lvmWithin bounds one call of LVM's.
const lvmWithin = time.Minute

// create is for devices that hold nothing, or what a cut has left of a group
// that we were creating.
func (g VolumeGroup) create(ctx context.Context, h *host.Host, s lvmSight) ([]plan.Change, error) {
	if err := g.consented(ctx, h, s); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("create %s on %s", g.ID(), lvmNames(s.devices))
	if s.half() {
		say += fmt.Sprintf(" (its creation of %s was cut short)", s.began())
	}
	if plan.Allowed(ctx) < plan.Destroys {
		say += " (once proven blank)"
	} else if err := g.proven(ctx, h, s); err != nil {
		return nil, err
	}
	do := func(ctx context.Context) error { return g.make(ctx, h) }
	return []plan.Change{{Say: say, Risk: plan.Destroys, Do: do}}, nil
}

// consented refuses what no proof of the devices would allow.
func (g VolumeGroup) consented(ctx context.Context, h *host.Host, s lvmSight) error {
	why, remedy := g.Create.refuses(ctx, g.Volumes())
	switch {
	case why != "" && s.half():
		return fmt.Errorf("its creation of %s was cut short, and %s now; %s: it is ended then", s.began(), why, remedy)
	case why != "":
		return fmt.Errorf("there is no group %s, and %s: %s; attach the volumes that hold it, or %s", g.Name, why, g.contents(ctx, h, s), remedy)
	case len(s.missing) > 0:
		return fmt.Errorf("there is no whole group %s, and none is created as %s is missing", g.Name, strings.Join(s.missing, ", "))
	}
	for _, d := range s.devices {
		if d.known && !d.half() && !g.gone(d.Device) {
			return fmt.Errorf("it was created at %s, and LVM finds it no more: %s; none is created in its place; where that is wanted, remove the entry of %s from the files of these volumes in %s/intents",
				d.intent.Ended, g.contents(ctx, h, s), g.ID(), g.Folder)
		}
	}
	return g.heard(g.Volumes())
}

// contents is what the devices hold, in words.
func (g VolumeGroup) contents(ctx context.Context, h *host.Host, s lvmSight) string {
	var said []string
	for _, d := range s.devices {
		said = append(said, called(d.Device)+": "+contentsAt(ctx, h, d.node))
	}
	for _, name := range s.missing {
		said = append(said, name+": not there")
	}
	return strings.Join(said, ", ")
}

// contentsAt is what a device holds, in words. It is there to be read, so what
// cannot be seen is said as well.
func contentsAt(ctx context.Context, h *host.Host, node string) string {
	c, err := block.Probe(ctx, h, node)
	switch {
	case err != nil:
		return err.Error()
	case c.Type == "":
		return "nothing that is recognised"
	}
	return c.Type
}

// proven is nil where every device is blank, or the physical volume that we were
// making of it: it was proven blank before that began. Where a cut amidst
// pvcreate has left bytes that nobody recognises, a person says whose they are.
func (g VolumeGroup) proven(ctx context.Context, h *host.Host, s lvmSight) error {
	errs := make([]error, len(s.devices))
	block.Beside(len(s.devices), func(i int) {
		d := s.devices[i]
		var err error
		switch {
		case d.isPV && d.pv.Group != "": // it stays as it is
		case d.isPV:
			err = nothingUpon(h, d.node)
		default:
			err = g.proveBlank(ctx, h, d.Device, d.node)
		}
		if d.half() && !d.isPV {
			err = g.ownBytes(ctx, h, d.Device, d.node, "LVM2_member", d.intent, err)
		}
		if err != nil {
			errs[i] = fmt.Errorf("%s: %w", called(d.Device), err)
		}
	})
	return errors.Join(errs...)
}

// make creates the group, after another look and another proof. None of its
// tools is told to go on over what it finds.
func (g VolumeGroup) make(ctx context.Context, h *host.Host) error {
	at, err := placeOf(ctx, h, g.Over...)
	if err != nil {
		return err
	}
	s, err := g.look(ctx, h)
	if err != nil {
		return err
	}
	if s.group != nil {
		if _, outside := s.in(g.Name); len(outside) == 0 || !s.half() {
			return &plan.NotYet{For: g.ID() + ", which has come to be there meanwhile"}
		}
	}
	if err := errors.Join(g.strangers(s), g.consented(ctx, h, s)); err != nil {
		return err
	}
	var option []string
	block.Beside(2, func(i int) {
		if i == 0 {
			err = g.proven(ctx, h, s)
		} else {
			option = notByOthers(ctx, h)
		}
	})
	if err != nil {
		return err
	}
	for i, d := range s.devices {
		if err := at.still(ctx, h, g.Over...); err != nil {
			return err
		}
		if err := g.makePV(ctx, h, s, d); err != nil {
			return err
		}
		if s.devices[i].intent, s.devices[i].known, err = g.intendedFor(h, d.Volumes(), g.ID()); err != nil {
			return err
		}
	}
	if err := at.still(ctx, h, g.Over...); err != nil {
		return err
	}
	if err := g.makeGroup(ctx, h, s, option); err != nil {
		return err
	}
	after, err := g.look(ctx, h)
	if err != nil {
		return err
	}
	if _, outside := after.in(g.Name); after.group == nil || len(outside) > 0 {
		return fmt.Errorf("LVM has created %s, and does not find it on all of %s", g.ID(), lvmNames(after.devices))
	}
	return g.endAll(ctx, h, after)
}

// makePV makes a device a physical volume, of a UUID that is noted beforehand.
func (g VolumeGroup) makePV(ctx context.Context, h *host.Host, s lvmSight, d lvmDevice) error {
	if d.isPV {
		return nil
	}
	i := d.intent
	if !d.half() {
		if err := g.forgetGone(h, d.Device); err != nil {
			return err
		}
		i = intent{For: g.ID(), UUID: newUUID(), Volumes: d.Volumes()}
		if err := g.intend(h, i); err != nil {
			return err
		}
	}
	return tool(ctx, h, g.ID(), lvmWithin, "pvcreate", "--devices", s.list(), "--uuid", pvUUID(i.UUID), "--norestorefile", d.node)
}

// makeGroup makes one group of them. One that a cut has left with some of its
// devices alone is given the others.
func (g VolumeGroup) makeGroup(ctx context.Context, h *host.Host, s lvmSight, option []string) error {
	if s.group != nil {
		_, outside := s.in(g.Name)
		argv := []string{"vgextend", "--devices", s.list(), g.Name}
		for _, d := range outside {
			argv = append(argv, d.node)
		}
		return tool(ctx, h, g.ID(), lvmWithin, argv...)
	}
	argv := append([]string{"vgcreate", "--devices", s.list()}, option...)
	return tool(ctx, h, g.ID(), lvmWithin, append(append(argv, g.Name), s.nodes()...)...)
}

// notByOthers is vgcreate's option by which nobody but us starts the group, as
// what it lies on may be degraded; none where it has no such option.
func notByOthers(ctx context.Context, h *host.Host) []string {
	out, err := h.Run(ctx, "vgcreate", "--help")
	if err != nil || !strings.Contains(string(out.Stdout)+string(out.Stderr), "--setautoactivation") {
		return nil
	}
	return []string{"--setautoactivation", "n"}
}

// endAll notes of each device that the group is whole.
func (g VolumeGroup) endAll(ctx context.Context, h *host.Host, s lvmSight) error {
	var errs []error
	for _, d := range s.devices {
		if d.half() {
			errs = append(errs, g.seenWhole(ctx, h, d.intent))
		}
	}
	return errors.Join(errs...)
}
