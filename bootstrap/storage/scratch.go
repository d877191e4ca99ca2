package storage

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// The instance's own disks lose all that is on them when the instance is stopped,
// and keep it over a reboot. What was seen whole there once may be gone for good
// reason, and is made again on what is proven blank, however often. That goes for
// what lies on the disks themselves: what lies upon that goes with it, and nothing
// else explains that it is missing.

// gone says that what was seen whole on a device may be gone by now for good reason.
func (s Common) gone(d Device) bool {
	v, disk := d.(Volume)
	return disk && s.Scratch[v.VolumeID]
}

// allGone says it of several, of which there are some.
func (s Common) allGone(devices []Device) bool {
	return len(devices) > 0 && !slices.ContainsFunc(devices, func(d Device) bool { return !s.gone(d) })
}

// forgetGone takes the intents away of scratch on which something is about to be
// made, as it is blank: those of all that lay upon it explain nothing any more.
// It sweeps those of disks that this instance had before it was stopped as well,
// where it is known which it has now.
func (s Common) forgetGone(h *host.Host, devices ...Device) error {
	if !s.allGone(devices) {
		return nil
	}
	for _, d := range devices {
		if err := h.Remove(s.intentFile(d.Volumes()[0])); err != nil {
			return err
		}
	}
	disks, err := block.Disks(h)
	if err != nil {
		return nil // a disk that cannot be read may be one of those
	}
	names, err := h.ReadDir(path.Join(s.Folder, "intents"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		id, ok := strings.CutSuffix(name, ".json")
		has := slices.ContainsFunc(disks, func(d block.Disk) bool { return d.Volume == id })
		if !ok || has || !block.IsStore(id) {
			continue
		}
		if err := h.Remove(s.intentFile(id)); err != nil {
			return err
		}
	}
	return err
}
