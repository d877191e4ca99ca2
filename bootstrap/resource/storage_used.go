package resource

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

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
