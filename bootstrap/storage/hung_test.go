package storage

import (
	"context"
	"fmt"
	"testing"

	"reveille/bootstrap/host"
)

// Of a volume that does not answer it is said what a person can do, and nothing
// is made there.
func TestHungVolume(t *testing.T) {
	d := withDisks(t)
	d.Answer(func(argv []string) (host.Output, error, bool) {
		if argv[0] == "blkid" {
			return host.Output{Code: -1}, fmt.Errorf("%w (process 9): %w", host.ErrAbandoned, context.DeadlineExceeded), true
		}
		return d.answer(argv)
	})
	d.refused(t, fsOf(onVolume, "ext4"), "vol-1", "abandoned, stuck in the kernel", "it does not answer", "EC2")
}
