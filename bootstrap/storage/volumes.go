package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Volumes is a set of EBS volumes that are attached, or of the instance's own
// disks. Its ID is "volumes:" + Name; it is live. It never changes anything.
type Volumes struct {
	Name  string
	IDs   []string // those that are known, sorted
	Count int      // how many there should be
	Say   string   // how they were chosen, for people: "tags array=data"
	Lacks string   // why fewer are known than there should be; "" where all are

	Scratch bool // they are instance store
}

// ID is "volumes:" and the name.
func (v Volumes) ID() string { return "volumes:" + v.Name }

// Live is true: disks are the running kernel's.
func (Volumes) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (v Volumes) Describe() string {
	text := fmt.Sprintf("%d attached, by %s\n", v.Count, v.Say)
	for _, id := range v.IDs {
		text += id + "\n"
	}
	if v.Lacks != "" {
		text += "not all are known: " + v.Lacks + "\n"
	}
	return text
}

// Check waits for those that are not attached yet.
func (v Volumes) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", v.ID(), host.ErrOffline)
	}
	if len(v.IDs) > v.Count {
		return nil, fmt.Errorf("%s choose %d volumes, and %d are wanted: %s; detach what does not belong there, or correct the count",
			v.Say, len(v.IDs), v.Count, strings.Join(v.IDs, ", "))
	}
	_, missing, err := attached(h, v.IDs)
	switch {
	case err != nil:
		return nil, err
	case len(v.IDs) < v.Count:
		wait := fmt.Sprintf("%d of %d volumes, by %s", v.Count-len(v.IDs)+len(missing), v.Count, v.Say)
		if v.Lacks != "" {
			wait += " (" + v.Lacks + ")"
		}
		if len(missing) > 0 {
			wait += ", " + strings.Join(missing, ", ") + " among them"
		}
		return nil, &plan.NotYet{For: wait, Facts: true}
	case len(missing) > 0:
		return nil, &plan.NotYet{For: many("volume", missing) + " to be attached"}
	}
	return nil, nil
}

// Volume is one of them. Its ID is "volume:" + VolumeID; it is no step of its own.
type Volume struct{ VolumeID string }

// ID is "volume:" and the volume's id.
func (v Volume) ID() string { return "volume:" + v.VolumeID }

// Live is true: disks are the running kernel's.
func (Volume) Live() bool { return true }

// Check waits until it is attached.
func (v Volume) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	_, err := v.Node(ctx, h)
	return nil, err
}

// Node is the disk's device node; a *plan.NotYet where it is not attached.
func (v Volume) Node(_ context.Context, h *host.Host) (string, error) {
	disks, _, err := attached(h, []string{v.VolumeID})
	if err != nil {
		return "", err
	}
	return v.among(disks)
}

// among is Node of one look at several volumes.
func (v Volume) among(disks map[string]block.Disk) (string, error) {
	d, there := disks[v.VolumeID]
	if !there {
		return "", &plan.NotYet{For: "volume " + v.VolumeID + " to be attached"}
	}
	return d.Node(), nil
}

// Volumes is itself.
func (v Volume) Volumes() []string { return []string{v.VolumeID} }

// attached finds volumes among the machine's disks, and says which are not
// there. A disk that cannot be read is somebody else's trouble, unless it may be
// one of them.
func attached(h *host.Host, ids []string) (disks map[string]block.Disk, missing []string, err error) {
	all, unread := block.Disks(h)
	disks = map[string]block.Disk{}
	for _, d := range all {
		if d.Volume == "" || !slices.Contains(ids, d.Volume) {
			continue
		}
		if first, twice := disks[d.Volume]; twice {
			return nil, nil, fmt.Errorf("volume %s is there twice, as %s and as %s: neither is touched; detach one", d.Volume, first.Kernel, d.Kernel)
		}
		disks[d.Volume] = d
	}
	for _, id := range ids {
		if _, there := disks[id]; !there {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 && unread != nil {
		return nil, nil, fmt.Errorf("look for %s: %w", many("volume", missing), unread)
	}
	return disks, missing, nil
}

// many are several things of one kind, in words: "volume vol-a", "volumes vol-a,
// vol-b".
func many(kind string, names []string) string {
	if len(names) != 1 {
		kind += "s"
	}
	return kind + " " + strings.Join(names, ", ")
}
