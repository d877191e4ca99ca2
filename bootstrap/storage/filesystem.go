package storage

import (
	"context"
	"fmt"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// FileSystem is a file system, or a swap area, on a device. Its ID is
// "filesystem:" + the device's ID; it is live.
type FileSystem struct {
	Common
	On      Device
	Type    string // "xfs", "ext4", "swap"
	Label   string
	Options []string // of mkfs
	Create  Consent
}

// ID is "filesystem:" and the device's.
func (f FileSystem) ID() string { return "filesystem:" + f.On.ID() }

// Live is true: devices are the running kernel's.
func (FileSystem) Live() bool { return true }

// Volumes are those that its device lies upon.
func (f FileSystem) Volumes() []string { return f.On.Volumes() }

// Describe says what is wanted, for golden plans.
func (f FileSystem) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, create: %s\n", f.Type, f.On.ID(), f.Create)
	if f.Label != "" {
		fmt.Fprintf(&b, "label %s\n", f.Label)
	}
	if len(f.Options) > 0 {
		fmt.Fprintf(&b, "mkfs options %s\n", strings.Join(f.Options, " "))
	}
	return b.String()
}

// Check asks what the device holds. What is there is taken as it is, with
// whatever label; where another thing is, nothing is written.
func (f FileSystem) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", f.ID(), host.ErrOffline)
	}
	s, err := f.see(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", f.Type, called(f.On), err)
	}
	changes, err := f.judge(ctx, h, s)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", f.Type, called(f.On), err)
	}
	return changes, nil
}

// found is what a look at the device has found.
type found struct {
	node   string
	holds  block.Content
	intent intent // ours, of this step
	known  bool   // there is one
	cut    bool   // what is recognised there is ours by its UUID, and was never finished
}

// half says that we began to make something there, and nobody saw it whole.
func (s found) half() bool { return s.known && s.intent.half() }

// ours says that what is recognised there has the UUID that we gave it.
// What has none is somebody else's: each mkfs here is told which to write.
func (s found) ours(want string) bool {
	return s.half() && s.holds.Type == want && sameUUID(s.holds.UUID, s.intent.UUID)
}

func (f FileSystem) see(ctx context.Context, h *host.Host) (found, error) {
	var s found
	maker, ok := makers[f.Type]
	if !ok {
		return s, fmt.Errorf("no file system of type %q can be made or mounted", f.Type)
	}
	err := maker.sound(f.Options)
	if err != nil {
		return s, err
	}
	if err := toolRuns(ctx, h, f.ID()); err != nil {
		return s, err
	}
	if s.node, err = f.On.Node(ctx, h); err != nil {
		return s, err
	}
	if s.holds, err = block.Probe(ctx, h, s.node); err != nil {
		return s, fmt.Errorf("what it holds cannot be told, and nothing was written: %w; %s", err, unread(err))
	}
	if s.intent, s.known, err = f.intendedFor(h, f.On.Volumes(), f.ID()); err != nil {
		return s, err
	}
	if s.ours(f.Type) {
		look, cancel := context.WithTimeout(ctx, block.LookWithin)
		defer cancel()
		if s.cut, err = maker.cut(look, h, s.node); err != nil {
			return s, fmt.Errorf("was the mkfs that began at %s cut short: %w", s.intent.Began, err)
		}
	}
	return s, nil
}

// judge decides. An intent that is not ended explains what cannot be recognised,
// so it is ended as soon as anything else is seen there: years later it would
// explain a person's own data away.
func (f FileSystem) judge(ctx context.Context, h *host.Host, s found) ([]plan.Change, error) {
	switch {
	case s.cut, s.holds.Type == "" && s.half():
		return f.finish(ctx, h, s)
	case s.half() && s.holds.Type != "":
		say := fmt.Sprintf("note that the %s which was begun on %s at %s is made", f.Type, called(f.On), s.intent.Began)
		if !s.ours(f.Type) {
			say = fmt.Sprintf("note that somebody has put something on %s, where %s was begun at %s: %s", called(f.On), f.Type, s.intent.Began, s.holds)
		}
		return []plan.Change{{Say: say, Risk: plan.Safe, Do: func(ctx context.Context) error { return f.seenWhole(ctx, h, s.intent) }}}, nil
	case s.holds.Type == f.Type:
		return nil, nil
	case s.holds.Type != "":
		return nil, fmt.Errorf("it holds %s; nothing was written; correct the type, or the device, in the profile", s.holds)
	}
	return f.create(ctx, h, s)
}
