package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// outside refuses to do without a member that is there: a volume that the
// profile's choice leaves out, or that came after the choice was made. Written to
// without it, the array would leave it behind. A disk that does not answer may
// be one.
func (a MDArray) outside(ctx context.Context, h *host.Host, uuid, instead string) error {
	disks, err := block.Disks(h)
	if err != nil {
		return fmt.Errorf("look for a member of %s on other volumes: %w; %s", a.ID(), err, instead)
	}
	errs := make([]error, len(disks))
	block.Beside(len(disks), func(i int) {
		d := disks[i]
		if d.Kind != block.EBS || d.Root || slices.Contains(a.Over, d.Volume) {
			return
		}
		m, has, err := block.Examine(ctx, h, d.Node())
		switch {
		case err != nil:
			errs[i] = fmt.Errorf("whether volume %s (%s) is a member of it too: %w; %s", d.Volume, d.Kernel, err, instead)
		case has && sameUUID(m.UUID, uuid):
			errs[i] = fmt.Errorf("volume %s (%s) is a member of it too, and is not among its volumes: correct the profile's choice; %s", d.Volume, d.Kernel, instead)
		}
	})
	return errors.Join(errs...)
}

// What is said to have become of the array where there is such a volume.
const (
	notStarted = "nothing was started"
	leftAsItIs = "the array is left as it is"
)
