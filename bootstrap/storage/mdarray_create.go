package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// create is for volumes that hold no array, or what a cut has left of one that
// we were creating. The proof costs reads: a pass that may not create does
// without, and whoever creates proves again.
func (a MDArray) create(ctx context.Context, h *host.Host, s mdSight) ([]plan.Change, error) {
	if err := a.consented(ctx, h, s); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("create %s, raid%d of %s", a.ID(), a.Level, many("volume", a.Over))
	if s.half() {
		say += fmt.Sprintf(" (its creation of %s was cut short)", s.intent.Began)
	}
	if plan.Allowed(ctx) < plan.Destroys {
		say += " (once proven blank)"
	} else if err := a.proven(ctx, h, s); err != nil {
		return nil, err
	}
	do := func(ctx context.Context) error { return a.make(ctx, h) }
	return []plan.Change{{Say: say, Risk: plan.Destroys, Do: do}}, nil
}

// consented refuses what no proof of the volumes would allow.
func (a MDArray) consented(ctx context.Context, h *host.Host, s mdSight) error {
	with, _ := s.with()
	lacks := a.lacks(s, func(mdMember) bool { return true })
	why, remedy := a.Create.refuses(ctx, a.Volumes())
	switch {
	case why != "" && s.half():
		return fmt.Errorf("its creation of %s was cut short, and %s now; %s: it is ended then", s.intent.Began, why, remedy)
	case why != "":
		return fmt.Errorf("its volumes hold no array, and %s: %s; attach the volumes that hold it, or %s", why, a.contents(ctx, h, s), remedy)
	case lacks != "":
		return fmt.Errorf("its volumes hold no whole array, and none is created as %s", lacks)
	case len(with) == 0 && s.known && !s.half() && !a.allGone(a.members()):
		return fmt.Errorf("it was created at %s, and its volumes know nothing of it any more: %s; none is created in its place; where that is wanted, remove the entry of %s from their files in %s/intents",
			s.intent.Ended, a.contents(ctx, h, s), a.ID(), a.Folder)
	}
	for _, m := range s.members {
		if a.Snapshot[m.Volume] {
			return fmt.Errorf("volume %s was made from a snapshot, so that it is not blank, and no array is on it: none is created", m.Volume)
		}
	}
	return a.heard(a.Volumes())
}

// contents is what the volumes hold, in words.
func (a MDArray) contents(ctx context.Context, h *host.Host, s mdSight) string {
	var said []string
	for _, m := range s.members {
		said = append(said, fmt.Sprintf("%s (%s): %s", m.Volume, m.Kernel, contentsAt(ctx, h, m.Node())))
	}
	for _, id := range s.missing {
		said = append(said, id+": not attached")
	}
	return strings.Join(said, ", ")
}

// proven is nil where every volume is blank, or a member of what we were
// creating: it was proven blank before that began.
func (a MDArray) proven(ctx context.Context, h *host.Host, s mdSight) error {
	var arrays []string // udev's, of what is half there
	for _, r := range s.arrays {
		arrays = append(arrays, r.Kernel)
	}
	var errs []error
	say := func(m mdMember, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("volume %s (%s): %w", m.Volume, m.Kernel, err))
		}
	}
	with, without := s.with()
	for _, m := range with { // by half, as strangers has seen to
		say(m, nothingUpon(h, m.Node(), arrays...))
	}
	var bare []laid
	for _, m := range without {
		bare = append(bare, laid{Volume{m.Volume}, m.Node()})
	}
	for i, err := range a.proveAll(ctx, h, bare) {
		say(without[i], err)
	}
	return errors.Join(errs...)
}

// make creates the array. It looks and proves once more, right before it writes;
// --run keeps mdadm from asking about what it finds there, which is nothing, or
// what it has itself left half done.
func (a MDArray) make(ctx context.Context, h *host.Host) error {
	at, err := placeOf(ctx, h, a.members()...)
	if err != nil {
		return err
	}
	s, err := a.look(ctx, h)
	if err != nil {
		return err
	}
	if err := a.strangers(s); err != nil {
		return err
	}
	with, _ := s.with()
	if len(with) > 0 && (!s.half() || len(with) == a.Count) {
		return &plan.NotYet{For: a.ID() + ", which has come to be there meanwhile"}
	}
	if err := a.consented(ctx, h, s); err != nil {
		return err
	}
	if err := a.proven(ctx, h, s); err != nil {
		return err
	}
	i := s.intent
	if !s.half() {
		if err := a.forgetGone(h, a.members()...); err != nil {
			return err
		}
		i = intent{For: a.ID(), UUID: newUUID(), Volumes: a.Volumes()}
		if err := a.intend(h, i); err != nil {
			return err
		}
	}
	if err := a.stop(ctx, h, s); err != nil {
		return err
	}
	if err := at.still(ctx, h, a.members()...); err != nil {
		return err
	}
	if err := tool(ctx, h, a.ID(), mdWithin, a.creation(s, i.UUID)...); err != nil {
		return err
	}
	if s, err = a.look(ctx, h); err != nil {
		return err
	}
	if with, _ := s.with(); len(with) != a.Count || !sameUUID(s.uuids()[0], i.UUID) {
		return fmt.Errorf("mdadm has created it, and not all of its volumes know of it: %s", all(s.members))
	}
	return a.seenWhole(ctx, h, i)
}

// members are its volumes as devices.
func (a MDArray) members() []Device {
	var all []Device
	for _, id := range a.Over {
		all = append(all, Volume{id})
	}
	return all
}

func (a MDArray) creation(s mdSight, uuid string) []string {
	argv := []string{"mdadm", "--create", a.node(), "--run", "--metadata=1.2", "--homehost=any", "--name=" + a.Name, "--uuid=" + mdUUID(uuid),
		fmt.Sprintf("--level=%d", a.Level), fmt.Sprintf("--raid-devices=%d", a.Count)}
	if a.Chunk != 0 {
		argv = append(argv, fmt.Sprintf("--chunk=%d", a.Chunk))
	}
	if a.Bitmap != "" {
		argv = append(argv, "--bitmap="+a.Bitmap)
	}
	for _, m := range s.members {
		argv = append(argv, m.Node())
	}
	return argv
}
