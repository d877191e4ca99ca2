package storage

import (
	"errors"

	"reveille/bootstrap/host"
)

// Sweep takes away the temporary files that a killed run has left beside what is
// kept of mounts and swap, as resource.Sweep does with files.
func Sweep(h *host.Host) error {
	return errors.Join(h.Sweep(mountsDir), h.Sweep(swapsDir))
}
