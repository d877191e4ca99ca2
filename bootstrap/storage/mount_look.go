package storage

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// sight is what a mount's look has seen.
type sight struct {
	node         string // of the device, now
	name         string // … of a kind that no other device ever gets, where udev has given it one
	major, minor int
	readOnly     bool        // the device, or anything that it lies upon, may not be written to
	on           block.Mount // what is mounted at the path; the zero value is nothing
	busy         bool        // the device is mounted somewhere
	elsewhere    []string    // at which other paths
	over         string      // the type of the file system in which the path lies
}

// see looks for the device, and at what is mounted.
func (m Mount) see(ctx context.Context, h *host.Host) (sight, error) {
	var s sight
	var err error
	if s.node, err = m.From.On.Node(ctx, h); err != nil {
		return s, err
	}
	if s.name, err = lasting(h, s.node); err != nil {
		return s, err
	}
	kernel := path.Base(s.node)
	if s.major, s.minor, err = numbers(h, kernel); err != nil {
		return s, err
	}
	if s.readOnly, err = readOnly(h, kernel); err != nil {
		return s, err
	}
	mounts, err := block.Mounts(h)
	if err != nil {
		return s, err
	}
	longest := ""
	for _, o := range mounts { // of several at one path the last one counts
		if o.Major == s.major && o.Minor == s.minor {
			s.busy = true
			if o.Path != m.Path {
				s.elsewhere = append(s.elsewhere, o.Path)
			}
		}
		switch {
		case o.Path == m.Path:
			s.on = o
		case (o.Path == "/" || block.Within(m.Path, o.Path)) && len(o.Path) >= len(longest):
			longest, s.over = o.Path, o.Type
		}
	}
	return s, nil
}

// mountedFrom is the device node that is mounted at a path; "" for none.
func mountedFrom(h *host.Host, at string) string {
	mounts, err := block.Mounts(h)
	if err != nil {
		return ""
	}
	node := ""
	for _, o := range mounts {
		if o.Path == at {
			node = kernelNode(h, o.Source)
		}
	}
	return node
}

// ownNames are how the links begin by which udev names a volume, an array and a
// logical volume after what they are.
var ownNames = []string{"nvme-Amazon_Elastic_Block_Store_vol", "md-uuid-", "dm-uuid-"}

// lasting is a device's name after what it is. A unit's file outlives the
// device, and the kernel's own name may be another's by then: systemd would
// mount that one for whoever needs the path.
func lasting(h *host.Host, node string) (string, error) {
	links, err := h.Glob("/dev/disk/by-id/*")
	if err != nil {
		return "", err
	}
	best := node
	for _, l := range links {
		own := slices.ContainsFunc(ownNames, func(begin string) bool { return strings.HasPrefix(path.Base(l), begin) })
		if !own || best != node && len(l) >= len(best) {
			continue
		}
		if real, err := h.Resolve(l); err == nil && real == node {
			best = l
		}
	}
	return best, nil
}

// whatIs names what is mounted by the volumes that it lies upon, which people know
// it by, or by what it was mounted from where these cannot be told.
func whatIs(h *host.Host, o block.Mount) string {
	kernel := path.Base(kernelNode(h, o.Source))
	below, _ := block.Below(h, kernel)
	disks, _ := block.Disks(h)
	var volumes []string
	for _, d := range disks {
		if d.Volume != "" && slices.Contains(below, d.Kernel) {
			volumes = append(volumes, d.Volume)
		}
	}
	if len(volumes) == 0 || len(volumes) < len(below) {
		return fmt.Sprintf("%s (%s)", o.Source, o.Type)
	}
	return fmt.Sprintf("%s of %s (%s)", o.Type, many("volume", volumes), kernel)
}

// numbers are a block device's.
func numbers(h *host.Host, kernel string) (major, minor int, err error) {
	text, err := h.ReadFile(path.Join("/sys/block", kernel, "dev"))
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d:%d", &major, &minor)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("number of the device %s: %w", kernel, err)
	}
	return major, minor, nil
}

// kernelNode is where a link to a device node leads, as far as it can be seen.
func kernelNode(h *host.Host, node string) string {
	if !strings.HasPrefix(node, "/dev/") {
		return node
	}
	if real, err := h.Resolve(node); err == nil {
		return real
	}
	return node
}
