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

// place is where devices lie now: their nodes, and by what the kernel tells each
// from any other that it ever had. A volume that is pulled leaves its kernel
// name to the next that comes, and a tool is told a name.
type place string

// placeOf looks where they lie.
func placeOf(ctx context.Context, h *host.Host, devices ...Device) (place, error) {
	var volumes []string
	for _, d := range devices {
		volumes = append(volumes, d.Volumes()...)
	}
	disks, _, err := attached(h, volumes)
	if err != nil {
		return "", err
	}
	var all []string
	for _, d := range devices {
		node := ""
		if v, ok := d.(Volume); ok {
			node, err = v.among(disks)
		} else {
			node, err = d.Node(ctx, h)
		}
		if err != nil {
			return "", err
		}
		kernels := []string{path.Base(node)}
		for _, volume := range d.Volumes() {
			if disk, there := disks[volume]; there {
				kernels = append(kernels, disk.Kernel)
			}
		}
		slices.Sort(kernels)
		for _, k := range slices.Compact(kernels) {
			seq, err := block.Sequence(h, k)
			if err != nil {
				return "", err
			}
			all = append(all, fmt.Sprintf("%s %s %s %d", d.ID(), node, k, seq))
		}
	}
	return place(strings.Join(all, "\n")), nil
}

// still refuses devices that do not lie there any more. It comes right before a
// tool that writes.
func (p place) still(ctx context.Context, h *host.Host, devices ...Device) error {
	now, err := placeOf(ctx, h, devices...)
	if err == nil && now != p {
		var names []string
		for _, d := range devices {
			names = append(names, called(d))
		}
		err = fmt.Errorf("%s has changed its place while it was looked at, as a volume that is pulled and another that comes: nothing was written", strings.Join(names, ", "))
	}
	return err
}
