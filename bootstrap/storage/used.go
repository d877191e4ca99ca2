package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// nothingUpon is nil where nothing lies upon a device but these: what a cut has
// left of ours is written over unproven, and is not from below others.
func nothingUpon(h *host.Host, node string, but ...string) error {
	upon, err := block.Holders(h, path.Base(node))
	upon = slices.DeleteFunc(upon, func(k string) bool { return slices.Contains(but, k) })
	if err == nil && len(upon) > 0 {
		err = fmt.Errorf("%s lies upon what a cut has left of it; nothing was written; see what that is", strings.Join(upon, ", "))
	}
	return err
}

// usedBy says what uses a block device, in words: what lies upon it, or where it
// is mounted; "" for nothing.
func usedBy(h *host.Host, kernel string) (string, error) {
	holders, err := block.Holders(h, kernel)
	if err != nil {
		return "", err
	}
	if len(holders) > 0 {
		return strings.Join(holders, ", ") + " upon it", nil
	}
	number, err := h.ReadFile(path.Join("/sys/class/block", kernel, "dev"))
	if err != nil {
		return "", fmt.Errorf("number of the device %s: %w", kernel, err)
	}
	mounts, err := block.Mounts(h)
	if err != nil {
		return "", err
	}
	for _, m := range mounts {
		if fmt.Sprintf("%d:%d", m.Major, m.Minor) == strings.TrimSpace(string(number)) {
			return "mounted at " + m.Path, nil
		}
	}
	swaps, err := h.ReadFile("/proc/swaps")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without swap has no such file
		return "", err
	}
	for line := range strings.Lines(string(swaps)) {
		if strings.HasPrefix(line, "/dev/"+kernel+" ") || strings.HasPrefix(line, "/dev/"+kernel+"\t") {
			return "swap", nil
		}
	}
	return "", nil
}
