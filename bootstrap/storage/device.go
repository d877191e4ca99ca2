package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// readOnly says that a block device or one below it may not be written to. A
// mapped device does not know itself what it lies upon.
func readOnly(h *host.Host, kernel string) (bool, error) {
	text, err := h.ReadFile(path.Join("/sys/block", kernel, "ro"))
	if err != nil {
		return false, fmt.Errorf("whether %s may be written to: %w", kernel, err)
	}
	if strings.TrimSpace(string(text)) != "0" {
		return true, nil
	}
	below, err := h.ReadDir(path.Join("/sys/block", kernel, "slaves"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("what %s lies upon: %w", kernel, err)
	}
	for _, name := range below {
		if i, err := h.Stat(path.Join("/sys/block", name)); err != nil || !i.Exists {
			continue // a partition: its disk says no more than the device above
		}
		if ro, err := readOnly(h, name); err != nil || ro {
			return ro, err
		}
	}
	return false, nil
}

// called is what people call a device: by the volumes that it lies upon, never
// by a kernel name alone.
func called(d Device) string {
	if volume, ok := strings.CutPrefix(d.ID(), "volume:"); ok {
		return "volume " + volume
	}
	return fmt.Sprintf("%s (on %s)", d.ID(), strings.Join(d.Volumes(), ", "))
}

// notesOf is what a device has to say for itself, such as who is missing.
func notesOf(h *host.Host, d plan.Resource) string {
	n, ok := d.(plan.Noter)
	if !ok {
		return ""
	}
	if notes := n.Notes(h); len(notes) > 0 {
		return ": " + strings.Join(notes, "; ")
	}
	return ""
}
