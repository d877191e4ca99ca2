package block

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"reveille/bootstrap/host"
)

// Kind is what a disk is to EC2.
type Kind string

// The kinds.
const (
	EBS           Kind = "ebs"
	InstanceStore Kind = "instance-store"
	Other         Kind = "other" // Xen's as well, which do not say what they are
)

// Disk is a whole disk as the kernel has it now. Kernel names move between
// boots: the volume id is the only key.
type Disk struct {
	Kernel string `json:"kernel"` // "nvme1n1"
	Kind   Kind   `json:"kind"`
	Volume string `json:"volume"` // "vol-0…" of EBS, "AWS…" (its serial number) of instance store; "" where it does not say
	Name   string `json:"name"`   // given at its attachment, "sdf", without /dev/; "" where it does not say
	Size   int64  `json:"size"`   // bytes
	Root   bool   `json:"root"`   // the running system lies on it
	Swap   bool   `json:"swap"`   // the machine swaps to it
}

// Node is the disk's device node.
func (d Disk) Node() string { return path.Join("/dev", d.Kernel) }

// Disks are the machine's whole disks: EBS volumes sorted by their ids, then
// instance store by its serial numbers, then the others. Names given at attachment
// are not asked for, as they cost a child: see Names. The error names each disk
// that could not be read; the others are there beside it.
func Disks(h *host.Host) ([]Disk, error) {
	kernels, err := names(h, sysBlock)
	kernels = slices.DeleteFunc(kernels, notDisk.MatchString)
	if err != nil || len(kernels) == 0 {
		return nil, err
	}
	root, err := systemDisks(h)
	if err != nil {
		// Without it any disk may be the system's, and none may be offered.
		return nil, fmt.Errorf("find the disks that the system lies on: %w", err)
	}
	swap, err := swapDisks(h)
	if err != nil {
		return nil, fmt.Errorf("find the disks that the machine swaps to: %w", err)
	}
	var disks []Disk
	var errs []error
	for _, k := range kernels {
		d, err := readDisk(h, k)
		if err != nil {
			errs = append(errs, fmt.Errorf("disk %s: %w", k, err))
			continue
		}
		d.Root, d.Swap = root[k], swap[k]
		if there, _ := h.Lstat(path.Join(sysBlock, k)); there.Exists {
			disks = append(disks, d)
		}
	}
	sort.Slice(disks, func(i, j int) bool { return byVolume(disks[i], disks[j]) < 0 })
	return disks, errors.Join(errs...)
}

// Size is a block device's size in bytes, as the kernel has it; 0 where it does
// not say.
func Size(h *host.Host, node string) (int64, error) {
	kernel, err := kernelAt(h, node)
	if err != nil {
		return 0, err
	}
	sectors, err := number(h, sysClass, kernel, "size")
	return sectors * sector, err
}

// notDisk is what is no disk of its own: made of files, of memory, of other
// disks, or of another machine's; and the paths behind an NVMe disk that has
// several.
var notDisk = regexp.MustCompile(`^(loop|ram|zram|sr|fd|dm-|nbd|rbd|drbd|bcache)[0-9]|^md|^nvme[0-9]+c[0-9]+n[0-9]+$`)

func byVolume(a, b Disk) int {
	if (a.Volume == "") != (b.Volume == "") {
		return cmp.Compare(b.Volume, a.Volume)
	}
	if aw, bw := IsStore(a.Volume), IsStore(b.Volume); aw != bw {
		return map[bool]int{true: 1, false: -1}[aw]
	}
	return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Kernel, b.Kernel))
}

// sector is what /sys counts sizes in, whatever the disk's own sectors.
const sector = 512

func readDisk(h *host.Host, kernel string) (Disk, error) {
	sectors, err := number(h, sysBlock, kernel, "size")
	if err != nil {
		return Disk{}, err
	}
	model, err := attribute(h, sysBlock, kernel, "device/model")
	if err != nil {
		return Disk{}, err
	}
	serial, err := attribute(h, sysBlock, kernel, "device/serial")
	if err != nil {
		return Disk{}, err
	}
	d := Disk{Kernel: kernel, Kind: Other, Size: sectors * sector}
	switch model {
	case "Amazon Elastic Block Store":
		d.Kind, d.Volume = EBS, volumeID(serial)
	case "Amazon EC2 NVMe Instance Storage":
		d.Kind, d.Volume = InstanceStore, storeID(serial)
	}
	if strings.HasPrefix(kernel, "xvd") {
		d.Name = kernel // there the kernel's name is made of it
	}
	return d, nil
}

var volumeSerial = regexp.MustCompile(`^vol-?([0-9a-f]{8,17})$`)

// volumeID is the volume's id of a serial number, which has it without the
// hyphen.
func volumeID(serial string) string {
	if m := volumeSerial.FindStringSubmatch(serial); m != nil {
		return "vol-" + m[1]
	}
	return ""
}

var storeSerial = regexp.MustCompile(`^AWS[0-9A-F]{5,17}$`)

// IsStore says that an id is that of one of an instance's own disks.
func IsStore(id string) bool { return storeSerial.MatchString(id) }

// storeID is what one of the instance's own disks is known by: its serial number,
// which is that of the hardware, so that the disks after a stop and a start have
// others. It is never like a volume's id.
func storeID(serial string) string {
	if IsStore(serial) {
		return serial
	}
	return ""
}

// Sequence is the number that the kernel gives a disk as it appears, and never
// gives again while it runs; 0 of a kernel before 5.15, which has none.
func Sequence(h *host.Host, kernel string) (int64, error) {
	return number(h, sysClass, kernel, "diskseq")
}
