package block

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// Layer is a block device and what lies upon it, for people who look.
type Layer struct {
	Kernel  string   `json:"kernel"`  // "nvme1n1", "md127", "dm-0", "nvme0n1p1"
	What    string   `json:"what"`    // "ebs", "instance-store", "other", "array", "mapped", "partition"
	Name    string   `json:"name"`    // the volume's id, the array's name, the mapped device's: "db-mysql"; "" for none
	Attach  string   `json:"attach"`  // of a disk: the name given at its attachment; "" where it does not say
	Size    int64    `json:"size"`    // bytes
	State   string   `json:"state"`   // of an array: "raid10, clean, 4 of 4"; "" for others
	Type    string   `json:"type"`    // what it says that it holds: "xfs"; "" for nothing that is known
	UUID    string   `json:"uuid"`    // … of that
	Label   string   `json:"label"`   // … of that
	Mounted []string `json:"mounted"` // where its file system is mounted
	Error   string   `json:"error"`   // why it could not be looked at; "" where it could
	Upon    []Layer  `json:"upon"`    // what lies directly upon it
}

// Tree is all disks with all that lies upon them. What lies upon several stands
// upon each. A device that does not answer holds up nothing but its own line.
func Tree(ctx context.Context, h *host.Host) ([]Layer, error) {
	disks, err := Disks(h)
	if err != nil {
		return nil, err
	}
	t := tree{ctx: ctx, h: h}
	var errs []error
	if t.mounts, err = Mounts(h); err != nil {
		errs = append(errs, err)
	}
	if t.arrays, err = Arrays(ctx, h); err != nil {
		errs = append(errs, err)
	}
	var out []Layer
	for _, d := range disks {
		l := t.layer(d.Kernel, string(d.Kind))
		l.Name, l.Attach, l.Size = d.Volume, d.Name, d.Size
		out = append(out, l)
	}
	return out, errors.Join(errs...)
}

// tree is what one look has in common.
type tree struct {
	ctx    context.Context
	h      *host.Host
	mounts []Mount
	arrays []Array
}

// layer looks at a device, and at all upon it.
func (t tree) layer(kernel, what string) Layer {
	l := Layer{Kernel: kernel, What: what, Mounted: []string{}, Upon: []Layer{}}
	fail := func(err error) {
		if err != nil {
			l.Error = strings.TrimPrefix(l.Error+"; "+err.Error(), "; ")
		}
	}
	c, err := Probe(t.ctx, t.h, path.Join("/dev", kernel))
	fail(err)
	l.Type, l.UUID, l.Label = c.Type, c.UUID, c.Label
	if l.Size == 0 {
		sectors, err := number(t.h, sysClass, kernel, "size")
		fail(err)
		l.Size = sectors * sector
	}
	dev, err := attribute(t.h, sysClass, kernel, "dev")
	fail(err)
	for _, m := range t.mounts {
		if fmt.Sprintf("%d:%d", m.Major, m.Minor) == dev && !slices.Contains(l.Mounted, m.Path) {
			l.Mounted = append(l.Mounted, m.Path)
		}
	}
	upon, err := Holders(t.h, kernel)
	fail(err)
	for _, k := range upon {
		l.Upon = append(l.Upon, t.upon(k))
	}
	return l
}

// upon is a device that lies upon another.
func (t tree) upon(kernel string) Layer {
	if i := slices.IndexFunc(t.arrays, func(a Array) bool { return a.Kernel == kernel }); i >= 0 {
		a := t.arrays[i]
		l := t.layer(kernel, "array")
		l.Name = a.Name
		l.State = fmt.Sprintf("%s, %s, %d of %d", a.Level, a.State, a.Devices-a.Degraded, a.Devices)
		if a.Sync != "" {
			l.State += ", " + a.Sync
		}
		return l
	}
	if name, err := attribute(t.h, sysClass, kernel, "dm/name"); err == nil && name != "" {
		l := t.layer(kernel, "mapped")
		l.Name = name
		return l
	}
	return t.layer(kernel, "partition")
}
