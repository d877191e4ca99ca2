package debug

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
)

// disks prints the disks that the kernel has, and what EC2 says of the volumes.
func disks(w io.Writer, f facts.Facts) {
	for _, d := range f.Disks {
		role := ""
		if d.Root {
			role = ", the system's"
		}
		fmt.Fprintf(w, "disk\t%s\n", report.Clean(fmt.Sprintf("%s: %s %s, %d MiB, attached as %s%s",
			d.Kernel, d.Kind, cmp.Or(d.Volume, "without an id"), d.Size>>20, cmp.Or(d.Name, "unknown"), role)))
	}
	all, known := f.Volumes.Get()
	if !known && len(f.Disks) == 0 {
		return
	}
	if !known {
		fmt.Fprintf(w, "volumes\t%s\n", f.Volumes)
		return
	}
	if age := f.Now.Sub(f.VolumesRead); age > 0 {
		fmt.Fprintf(w, "volumes' age\t%s\n", age.Round(1e9))
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		v := all[id]
		from := ""
		if v.Snapshot != "" {
			from = ", made from " + v.Snapshot
		}
		fmt.Fprintf(w, "volume\t%s\n", report.Clean(fmt.Sprintf("%s: %d GiB, attached as %s%s; tags: %s",
			id, v.GiB, cmp.Or(v.Device, "unknown"), from, cmp.Or(pairs(facts.Known(v.Tags)), "none"))))
	}
}
