package storage

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// MDArray is an md array over volumes. Its ID is "raid:" + Name; it is live.
//
// An array is known by the UUID in its members' superblocks, wherever udev has
// put it and whatever it called it. Members are found by volume id.
type MDArray struct {
	Common
	Name     string
	Level    int      // 0, 1, 5, 6, 10
	Over     []string // volume ids, sorted
	Count    int      // how many members it has when it is whole
	Chunk    int64    // KiB; 0 is mdadm's own
	Bitmap   string   // "internal", "none"; "" is mdadm's own
	Create   Consent
	Degraded string // DegradedReadOnly, DegradedStart, DegradedRefuse
}

// ID is "raid:" and the name.
func (a MDArray) ID() string { return "raid:" + a.Name }

// Live is true: arrays are the running kernel's.
func (MDArray) Live() bool { return true }

// Volumes are its members.
func (a MDArray) Volumes() []string { return slices.Clone(a.Over) }

// Describe says what is wanted, for golden plans.
func (a MDArray) Describe() string {
	text := fmt.Sprintf("raid%d of %d volumes", a.Level, a.Count)
	if a.Chunk != 0 {
		text += fmt.Sprintf(", chunk %d KiB", a.Chunk)
	}
	if a.Bitmap != "" {
		text += ", bitmap " + a.Bitmap
	}
	return text + describePolicy(a.Create, a.Degraded) + strings.Join(append(a.Volumes(), ""), "\n")
}

// describePolicy is the end of a first line, with what nobody has set written out.
func describePolicy(create Consent, degraded string) string {
	if create == "" {
		create = CreateNever
	}
	if degraded == "" {
		degraded = DegradedReadOnly
	}
	return fmt.Sprintf("; create: %s, degraded: %s\n", create, degraded)
}

// Check looks at the members' superblocks and at the arrays that the kernel has.
func (a MDArray) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", a.ID(), host.ErrOffline)
	}
	if err := a.sound(); err != nil {
		return nil, err
	}
	if err := toolRuns(ctx, h, a.ID()); err != nil {
		return nil, err
	}
	s, err := a.look(ctx, h)
	if err != nil {
		return nil, err
	}
	return a.judge(ctx, h, s)
}

// deviceName is what a name may be made of: it goes into paths and into the
// arguments of tools.
var deviceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

func (a MDArray) sound() error {
	least, known := map[int]int{0: 2, 1: 2, 5: 3, 6: 4, 10: 2}[a.Level]
	switch {
	case !deviceName.MatchString(a.Name):
		return fmt.Errorf("%q is no name of an array", a.Name)
	case !known:
		return fmt.Errorf("raid%d is no level of which an array can be made", a.Level)
	case a.Count < least:
		return fmt.Errorf("a raid%d of %d volumes cannot be: it needs %d", a.Level, a.Count, least)
	case len(a.Over) > a.Count:
		return fmt.Errorf("%d volumes are there for an array of %d: %s; which belong to it is not guessed; detach what does not", len(a.Over), a.Count, strings.Join(a.Over, ", "))
	}
	return nil
}

// Node is the running array that is made of these volumes; a *plan.NotYet where
// there is none.
func (a MDArray) Node(_ context.Context, h *host.Host) (string, error) {
	array, _, err := a.running(h)
	if err != nil {
		return "", err
	}
	if array == nil {
		return "", &plan.NotYet{For: fmt.Sprintf("%s (on %s) to be assembled", a.ID(), strings.Join(a.Over, ", "))}
	}
	return array.Node(), nil
}

// asNoted compares UUIDs.
func (a MDArray) asNoted(ctx context.Context, h *host.Host) (bool, error) {
	r, _, err := a.running(h)
	if err != nil || r == nil {
		return false, err
	}
	if err := r.Identify(ctx, h); err != nil {
		return false, fmt.Errorf("which array %s is: %w", r.Kernel, err)
	}
	i, known, err := a.intendedFor(h, a.Over, a.ID())
	return known && sameUUID(r.UUID, i.UUID), err
}

// running is the running array whose members are all among the volumes, nil for
// none, and the volumes' disks. It is told by its members alone, which the kernel
// knows: whoever wants its UUID identifies it.
func (a MDArray) running(h *host.Host) (*block.Array, map[string]block.Disk, error) {
	disks, _, err := attached(h, a.Over)
	if err != nil {
		return nil, nil, err
	}
	var kernels []string
	for _, d := range disks {
		kernels = append(kernels, d.Kernel)
	}
	arrays, unread := block.Assembled(h)
	var found *block.Array
	for i, r := range arrays {
		if !r.Running() || len(r.Members) == 0 || slices.ContainsFunc(r.Members, func(m string) bool { return !slices.Contains(kernels, m) }) {
			continue
		}
		if found != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s and %s are both made of volumes of %s (%s): neither is touched", found.Kernel, r.Kernel, a.ID(), strings.Join(a.Over, ", ")), unread)
		}
		found = &arrays[i]
	}
	if found == nil && unread != nil {
		return nil, nil, unread
	}
	return found, disks, nil
}
