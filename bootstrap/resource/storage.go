package resource

import (
	"context"
	"errors"
	"fmt"

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

// Storage is what the resources of one instance's disks have in common.
type Storage struct {
	Folder    string          // the instance's own, for intents and what is known of its volumes
	Witnessed map[string]bool // volumes that something beside the device says are new
	Snapshot  map[string]bool // volumes made from a snapshot: never blank
}

// What is done with an array or a group that lacks volumes. "" is the first.
const (
	DegradedReadOnly = "read-only" // it is started, and cannot be written to
	DegradedStart    = "start"     // it is started
	DegradedRefuse   = "refuse"    // it is not started
)

// proveBlank is nil where nobody has ever put anything on a device: samples are
// enough where something beside it says that it is new, or where we made it.
func (s Storage) proveBlank(ctx context.Context, h *host.Host, d Device, node string) error {
	witnessed := len(d.Volumes()) > 0
	for _, v := range d.Volumes() {
		if s.Snapshot[v] {
			return fmt.Errorf("volume %s was made from a snapshot, so that it is not blank: nothing is made on it", v)
		}
		_, made, err := s.intended(h, v, d.ID())
		if err != nil {
			return err
		}
		witnessed = witnessed && (made || s.Witnessed[v])
	}
	err := block.Blank(ctx, h, node, witnessed)
	var not *block.NotBlank
	if errors.As(err, &not) {
		return fmt.Errorf("nothing is made there, as it is not blank: %s was found; see what it is, or give another device", not.Found)
	}
	return err
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
