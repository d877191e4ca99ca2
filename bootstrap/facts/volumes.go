package facts

import (
	"context"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// EBSVolume is what EC2 says of a volume that is attached to the instance.
type EBSVolume struct {
	Tags        map[string]string `json:"tags"`
	Snapshot    string            `json:"snapshot"` // snap-…, that it was made from; "" for none
	Created     time.Time         `json:"created"`
	GiB         int               `json:"gib"`
	Device      string            `json:"device"`      // "sdf": the name given at its attachment, without /dev/
	Attachments int               `json:"attachments"` // to this and to other instances
}

// disksPath is where the kernel lists its disks.
const disksPath = "/sys/block"

// readDisks looks which disks there are.
func (f *Facts) readDisks(h *host.Host, o Options) []Problem {
	all, err := o.disks(h)
	f.Disks = append([]block.Disk{}, all...)
	if err != nil {
		return []Problem{{Path: disksPath, Reason: Unreadable, Detail: err.Error()}}
	}
	return nil
}

// data says that a disk is one of EC2's and not the system's own.
func data(d block.Disk) bool {
	return !d.Root && (d.Kind == block.EBS || d.Kind == block.InstanceStore)
}

// dataVolumes says that EC2 has something to tell of the disks: there is an EBS
// volume besides the root's, or nobody knows.
func (f *Facts) dataVolumes() bool {
	return f.trouble(disksPath) || slices.ContainsFunc(f.Disks, func(d block.Disk) bool { return data(d) && d.Kind == block.EBS })
}

// nameDisks asks the data disks what they were called at their attachment. A
// machine in a folder is not asked: the devices would be another's.
func nameDisks(ctx context.Context, h *host.Host, disks []block.Disk) []Problem {
	var kernels []string
	for _, d := range disks {
		if data(d) && d.Name == "" && strings.HasPrefix(d.Kernel, "nvme") {
			kernels = append(kernels, d.Kernel)
		}
	}
	if len(kernels) == 0 || !h.Live() {
		return nil
	}
	named, err := block.Names(ctx, h, kernels) // it has deadlines of its own
	for n, d := range disks {
		if name, ok := named[d.Kernel]; ok {
			disks[n].Name = name
		}
	}
	if err != nil {
		return []Problem{{Path: disksPath, Reason: Unreadable, Detail: "the names that disks were attached by: " + err.Error()}}
	}
	return nil
}
