package block

import (
	"fmt"
	"path"
	"strings"

	"reveille/bootstrap/host"
)

// isSystem says that the machine does not run, or not start, without what is
// mounted there. Below /sysroot are the roots of images whose / is an overlay.
func isSystem(mount string) bool {
	for _, whole := range []string{"/boot", "/efi", "/usr", "/sysroot"} {
		if mount == whole || strings.HasPrefix(mount, whole+"/") {
			return true
		}
	}
	return mount == "/" || mount == "/var"
}

// systemDisks are the kernel names of the disks that the running system lies
// on.
func systemDisks(h *host.Host) (map[string]bool, error) {
	mounts, err := Mounts(h)
	if err != nil {
		return nil, err
	}
	disks := map[string]bool{}
	for _, m := range mounts {
		if !isSystem(m.Path) {
			continue
		}
		kernel, err := kernelOf(h, m)
		if err == nil && kernel != "" {
			err = addBelow(h, kernel, disks)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
	}
	return disks, nil
}

// swapDisks are the kernel names of the disks that the machine swaps to. They
// are not the system's for that: a role may have swap of its own.
func swapDisks(h *host.Host) (map[string]bool, error) {
	disks := map[string]bool{}
	swaps, err := h.ReadFile("/proc/swaps")
	if gone(err) {
		return disks, nil // a kernel without swap
	}
	if err != nil {
		return nil, err
	}
	for _, node := range parseSwaps(string(swaps)) {
		kernel, err := kernelAt(h, node)
		if err == nil {
			err = addBelow(h, kernel, disks)
		}
		if gone(err) {
			continue // pulled, and swapped to no more
		}
		if err != nil {
			return nil, fmt.Errorf("swap on %s: %w", node, err)
		}
	}
	return disks, nil
}

func addBelow(h *host.Host, kernel string, disks map[string]bool) error {
	found, err := Below(h, kernel)
	for _, k := range found {
		disks[k] = true
	}
	return err
}

// kernelOf is the kernel name of the device that a mount lies on; "" where it
// lies on none: in memory, on the network, on another mount. Its number counts,
// as a root that no initramfs mounted calls itself /dev/root; a file system over
// several devices has a number of no device's, and says one of them.
func kernelOf(h *host.Host, m Mount) (string, error) {
	link := fmt.Sprintf("/sys/dev/block/%d:%d", m.Major, m.Minor)
	i, err := h.Lstat(link)
	if err != nil {
		return "", err
	}
	if i.Exists {
		real, err := h.Resolve(link)
		return path.Base(real), err
	}
	if strings.HasPrefix(m.Source, "/dev/") {
		return kernelAt(h, m.Source)
	}
	return "", nil
}

// kernelAt is the kernel name of a device node, links followed.
func kernelAt(h *host.Host, node string) (string, error) {
	real, err := h.Resolve(node)
	return path.Base(real), err
}

// parseSwaps are the partitions that are swapped to. A swap file lies on a
// mount.
func parseSwaps(text string) (nodes []string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "partition" && strings.HasPrefix(f[0], "/") {
			nodes = append(nodes, Unescape(f[0]))
		}
	}
	return nodes
}
