package storage

import (
	"fmt"
	"slices"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// Notes tells what an array that runs lacks, with what a person may do, and what
// it is busy with.
func (a MDArray) Notes(h *host.Host) []string {
	if !h.Live() {
		return nil
	}
	r, disks, err := a.running(h)
	if err != nil || r == nil {
		return nil // its step says why
	}
	var notes []string
	for _, id := range a.Over {
		d, there := disks[id]
		switch {
		case !there:
			notes = append(notes, fmt.Sprintf("%s is degraded: volume %s is missing", a.ID(), id))
		case !slices.Contains(r.Members, d.Kernel):
			notes = append(notes, fmt.Sprintf("%s is degraded: volume %s is attached and no part of it; %s brings it back, where it is not broken; where mdadm says that this is not possible, %s rebuilds it from the others, and gives up what it still holds",
				a.ID(), id, a.back(*r, d), anew(*r, d)))
		}
	}
	if n := a.Count - len(a.Over); n > 0 {
		notes = append(notes, fmt.Sprintf("%s is degraded: %d of its volumes are not known", a.ID(), n))
	}
	if r.Sync != "" {
		notes = append(notes, fmt.Sprintf("%s: %s", a.ID(), r.Sync))
	}
	if r.State == "readonly" {
		notes = append(notes, a.ID()+" is read-only")
	}
	return append(notes, a.ungrown(h, a)...)
}

// back is how a person takes a former member in again. --re-add refuses a device
// that was none.
func (a MDArray) back(r block.Array, d block.Disk) string {
	add := fmt.Sprintf("mdadm %s --re-add %s", r.Node(), d.Node())
	if slices.Contains(r.Faulty, d.Kernel) {
		add = fmt.Sprintf("mdadm %s --remove %s && %s", r.Node(), d.Node(), add)
	}
	if r.State == "readonly" {
		add = fmt.Sprintf("mdadm --readwrite %s && %s", r.Node(), add)
	}
	return "`" + add + "`"
}

// anew is how a person takes in a former member that the array has gone on
// without: where no bitmap knows what it has missed, --re-add refuses it, and
// --add as well as long as it says itself that it is a member.
func anew(r block.Array, d block.Disk) string {
	return fmt.Sprintf("`mdadm --zero-superblock %s && mdadm %s --add %s`", d.Node(), r.Node(), d.Node())
}
