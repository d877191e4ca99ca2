package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// QEMU has no way to make an NVMe disk larger while it is in use. So the file of
// a volume that is to grow has its last size from the start, and how many blocks
// the disk says it has, which QEMU itself holds every read and write to, is
// written into QEMU's memory, as the model is. It stands in the disk's answer to
// Identify Namespace, three times in a row, not far from that to Identify
// Controller.
const (
	diskSector = 512
	sizeWithin = 64 << 10 // bytes before and after the controller's answer
)

// Grow makes a volume larger, as EC2 does while it is attached: the disk's
// controller is made to look again, as EBS's own tells the kernel to.
func (v *vm) Grow(ctx context.Context, id string, size int64) error {
	at := slices.IndexFunc(v.volumes, func(have Volume) bool { return have.ID == id })
	if at < 0 {
		return fmt.Errorf("grow %s: it is not attached", id)
	}
	d := v.volumes[at]
	if size <= d.Size || size > d.Most {
		return fmt.Errorf("grow %s from %d to %d bytes: it was made to grow to %d", id, d.Size, size, d.Most)
	}
	v.volumes[at].Size = size
	q := v.on
	if q == nil {
		return nil
	}
	err := q.monitor.do(ctx, "stop", nil, nil)
	if err == nil {
		err = errors.Join(setSize(q.pid(), d, d.Size, size), q.monitor.do(ctx, "cont", nil, nil))
	}
	if err != nil {
		return fmt.Errorf("grow %s: %w", id, err)
	}
	look := `for c in /sys/class/nvme/nvme*; do read -r s <$c/serial; [ "$s" != "$1" ] || echo 1 >$c/rescan_controller; done`
	r, err := v.Run(ctx, "sh", "-ec", look, "sh", serialOf(id))
	if err == nil && r.Code != 0 {
		err = errors.New(strings.TrimSpace(string(r.Stderr)))
	}
	if err != nil {
		return fmt.Errorf("grow %s: make its controller look again: %w", id, err)
	}
	return nil
}

// setSize makes the disk of a stopped QEMU say that it has another size, in bytes.
func setSize(pid int, d Volume, from, to int64) error {
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open QEMU's memory to give %s another size: %w", d.ID, err)
	}
	defer mem.Close()
	controller := slices.Concat(vendors, blank(serialOf(d.ID), 20), blank(ebsModel, 40))
	for range heapLooks { // as in makeEBS
		areas, err := heaps(pid)
		if err != nil {
			return err
		}
		for _, a := range areas {
			held := make([]byte, a.size)
			n, err := mem.ReadAt(held, a.start)
			if err != nil {
				held = held[:n]
			}
			at := bytes.Index(held, controller)
			if at < 0 {
				continue
			}
			first := max(0, at-sizeWithin)
			near := held[first:min(len(held), at+sizeWithin)]
			if blocks := bytes.Index(near, sizeOf(from)); blocks >= 0 {
				_, err := mem.WriteAt(sizeOf(to), a.start+int64(first+blocks))
				return err
			}
		}
	}
	return fmt.Errorf("give %s another size: not in QEMU's memory as versions 7 to 10 keep it: look at NvmeIdNs in hw/nvme", d.ID)
}

// sizeOf is a disk's size, its capacity and what of it is in use.
func sizeOf(size int64) []byte {
	one := binary.LittleEndian.AppendUint64(nil, uint64(size)/diskSector)
	return slices.Concat(one, one, one)
}
