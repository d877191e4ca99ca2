package storage

import (
	"fmt"
	"path"
)

// enlarge makes a volume larger, as EC2 does while it is attached.
func (w *world) enlarge(id string, size int64) { w.resized(w.disks[id], size) }

func (w *world) resized(kernel string, size int64) {
	w.sizes[kernel] = size
	w.Put("/sys/devices/"+kernel+"/size", fmt.Sprintln(size/512), 0o444)
}

// sizeOf is a disk's size, an array's, or a mapped device's.
func (w *world) sizeOf(kernel string) int64 {
	if a := w.arrays[kernel]; a != nil {
		return w.usesOf(a)
	}
	if size := w.sizes[kernel]; size != 0 {
		return size
	}
	return worldDisk
}

// usesOf is what an array has of each member, and how large it is: more would
// show nothing that this does not.
func (w *world) usesOf(a *worldArray) int64 {
	if size := w.uses[a.uuid]; size != 0 {
		return size
	}
	return worldDisk
}

func (p *worldPV) bytes() int64 {
	if p.size != 0 {
		return p.size
	}
	return worldDisk
}

// free is what is left in a group.
func (w *world) free(group string) int64 {
	_, _, size := w.members(group, nil)
	for name, v := range w.lvs {
		if path.Dir(name) == group {
			size -= v.size
		}
	}
	return size
}

// mdGrow refuses what md itself does.
func (w *world) mdGrow(argv []string) bool {
	a := w.arrays[path.Base(argv[2])]
	if a == nil || argv[3] != "--size=max" || a.level == 0 || len(a.members) < a.devices || a.state == "readonly" || a.state == "read-auto" {
		return false
	}
	w.uses[a.uuid] = w.smallest(a.members)
	w.show(path.Base(argv[2]))
	return true
}

func (w *world) smallest(members []string) int64 {
	size := w.sizeOf(members[0])
	for _, m := range members {
		size = min(size, w.sizeOf(m))
	}
	return size
}

func (w *world) pvResize(argv []string) bool {
	for _, node := range argv[3:] {
		pv := w.pvs[path.Base(node)]
		if pv == nil {
			return false
		}
		pv.size = w.sizeOf(path.Base(node))
	}
	return len(argv) > 3
}

func (w *world) lvExtend(argv []string) bool {
	name := argv[len(argv)-1]
	v, size := w.lvs[name], int64(0)
	_, err := fmt.Sscanf(option(argv, "--size"), "%db", &size)
	if err != nil || v == nil || size <= v.size || size-v.size > w.free(path.Dir(name)) {
		return false
	}
	v.size = size
	if v.active {
		w.resized(v.kernel, size)
	}
	return true
}
