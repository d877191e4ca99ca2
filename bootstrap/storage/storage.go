// Package storage is what a plan can ask for of a role's disks: volumes, arrays,
// groups and logical volumes, file systems, mounts, swap, and that they grow with
// their volumes. A resource looks
// (Check) and says what it would change; the changes run a tool, which goes on
// without the agent. Whoever may create is asked here, device by device: the
// pass, the profile, the device itself and the kernel. It looks by package
// block, and knows nothing of roles, of facts, or of who tagged a volume.
package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Consent is when something may be created on a role's disks.
type Consent string

// The consents. Whatever they say, it is created on devices that are proven
// blank, and on no others.
const (
	CreateNever   Consent = "never"
	CreateIfBlank Consent = "if-blank" // while the instance's storage has never been complete
)

// refuses says why nothing may be created on these volumes, and what a person
// may do about that; "" where it may be, once they are proven blank. A pass that
// may create nothing answers as one that may would, by the profile.
func (c Consent) refuses(ctx context.Context, volumes []string) (why, remedy string) {
	named := fmt.Sprintf("`reveille boot --allow-create %s`", strings.Join(volumes, ","))
	switch {
	case plan.Granted(ctx).Creates(c == CreateIfBlank, volumes), c == CreateIfBlank && plan.Allowed(ctx) < plan.Destroys:
		return "", ""
	case c == CreateIfBlank:
		return "create: if-blank counts only as long as this instance's storage has never been complete", named + " is a person's word for it"
	}
	return "create is never", "set create: if-blank, or say " + named
}

// named says that a person has named all of these volumes in this pass.
func named(ctx context.Context, volumes []string) bool {
	return plan.Granted(ctx).Creates(false, volumes)
}

// Common is what the resources of one instance's disks have in common.
type Common struct {
	Folder    string          // the instance's own, for intents and what is known of its volumes
	Witnessed map[string]bool // volumes that something beside the device says are new
	Witness   string          // the tag, KEY=VALUE, by which a person says so
	Snapshot  map[string]bool // volumes made from a snapshot: never blank
	Scratch   map[string]bool // instance store, which is empty whenever the instance has been stopped
	Grow      bool            // what lies on a volume that became larger becomes larger as well
	Untold    map[string]bool // volumes of which EC2 has not told since they came: they may be made from one
}

// heard refuses what only EC2 could allow: whether a volume that came amidst the
// pass was made from a snapshot, or is attached to another instance as well.
func (s Common) heard(volumes []string) error {
	for _, v := range volumes {
		if s.Untold[v] {
			return fmt.Errorf("EC2 has not told of volume %s since it was attached, and nothing is created on it before; the pass that its coming has asked for asks EC2, as `reveille boot` does", v)
		}
	}
	return nil
}

// What is done with an array or a group that lacks volumes. "" is the first.
const (
	DegradedReadOnly = "read-only" // it is started, and cannot be written to
	DegradedStart    = "start"     // it is started
	DegradedRefuse   = "refuse"    // it is not started
)

// ownBytes is what speaks against finishing what a cut has left where nothing is
// recognised: that it is not blank. The bytes may be those of the tool that was
// cut, which was begun on a blank device; they may be somebody else's since. A
// person's word for the volumes decides that, and none stands for what is known
// to be of another kind than the tool makes: a signature that blkid alone does
// not count, a device upon it.
func (s Common) ownBytes(ctx context.Context, h *host.Host, d Device, node, kind string, i intent, err error) error {
	if err == nil {
		return nil
	}
	var not *notBlank
	c, lost := block.Probe(ctx, h, node)
	switch {
	case lost != nil:
		return fmt.Errorf("what %s holds: %w", called(d), lost)
	case c.Type != "" || !errors.As(err, &not) || slices.ContainsFunc(not.known, func(k string) bool { return k != kind }):
		return err
	case named(ctx, d.Volumes()):
		return nil
	}
	return fmt.Errorf("%w; it may be what was begun there at %s and cut short, and may be somebody's since: where it is nobody's, `reveille boot --allow-create %s`",
		err, i.Began, strings.Join(d.Volumes(), ","))
}

// Device is a block device that a plan makes: a volume, an array, a logical
// volume.
type Device interface {
	plan.Resource
	// Node is its device node now; a *plan.NotYet where it is not there.
	Node(ctx context.Context, h *host.Host) (string, error)
	// Volumes are the ids of those that it lies upon, sorted.
	Volumes() []string
}
