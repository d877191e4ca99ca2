// Package block tells what block devices this machine has, and what lies on
// them: disks by their volume ids, arrays, groups, file systems, mounts. It
// looks and changes nothing, and knows neither what is wanted nor why.
//
// Files of /sys and /proc are read here. Whatever reads a device itself runs in
// a child process with a deadline: a hung volume holds up whoever asks about
// it, and nobody else.
package block

import (
	"context"
	"path"

	"reveille/bootstrap/host"
)

// Kind is what a disk is to EC2.
type Kind string

// The kinds.
const (
	EBS           Kind = "ebs"
	InstanceStore Kind = "instance-store"
	Other         Kind = "other"
)

// Disk is a whole disk as the kernel has it now. Kernel names move between
// boots: the volume id is the only key.
type Disk struct {
	Kernel string `json:"kernel"` // "nvme1n1"
	Kind   Kind   `json:"kind"`
	Volume string `json:"volume"` // "vol-0…"; "" where it is no EBS volume, or does not say which
	Name   string `json:"name"`   // given at its attachment, "sdf", without /dev/; "" where it does not say
	Size   int64  `json:"size"`   // bytes
	Root   bool   `json:"root"`   // the running system lies on it
}

// Node is the disk's device node.
func (d Disk) Node() string { return path.Join("/dev", d.Kernel) }

// Member is what an md superblock says of its device.
type Member struct {
	UUID    string // of the array, as mdadm prints it: "4f3b…:…:…:…"
	Name    string // of the array, without the host's name before a colon
	Level   string // "raid10"
	Devices int    // how many members the array has
	Events  uint64
}

// Array is an md array as the kernel has it now, assembled or not.
type Array struct {
	Kernel   string // "md127"
	UUID     string
	Name     string   // without the host's name before a colon
	Level    string   // "raid10"
	State    string   // the kernel's array_state: "inactive", "read-auto", "readonly", "clean", "active"…
	Devices  int      // how many members it has when it is whole
	Degraded int      // how many of them it lacks
	Members  []string // kernel names of those that it has, sorted
	Sync     string   // "resync 12.5%"; "" when nothing is under way
}

// Running says that the array can be read.
func (a Array) Running() bool { return a.State != "" && a.State != "inactive" && a.State != "clear" }

// PV is a physical volume of LVM's.
type PV struct {
	Node  string // "" where it is missing
	UUID  string
	Group string // "" where it belongs to none
	Size  int64
}

// LV is a logical volume.
type LV struct {
	Group, Name, UUID string
	Size              int64
	Active            bool
}

// VG is a volume group.
type VG struct {
	Name, UUID string
	Size, Free int64
	Extent     int64 // bytes
	Missing    int   // physical volumes that it lacks
}

// LVM is what LVM sees on some devices, and on them alone.
type LVM struct {
	PVs []PV
	VGs []VG
	LVs []LV
}

// Content is what a device says that it holds. The zero value is nothing that
// anybody recognises, which proves nothing.
type Content struct {
	Type  string // "xfs", "ext4", "linux_raid_member", "LVM2_member", "crypto_LUKS", "swap"; "gpt", "dos" for a partition table
	Usage string // "filesystem", "raid", "crypto", "other", "parttable"
	UUID  string
	Label string
}

// Mount is a mounted file system.
type Mount struct {
	Path     string
	Source   string // "/dev/nvme1n1"
	Major    int    // of the device that it lies on
	Minor    int
	Type     string
	ReadOnly bool
}

// NotBlank says what was found where on a device that should have been blank.
type NotBlank struct {
	Node  string
	Found string // "a file system, xfs", "data at byte 4096"
}

func (e *NotBlank) Error() string { return e.Node + " is not blank: " + e.Found }

// Disks are the machine's whole disks, those of a volume id first and sorted by
// it. Names given at attachment are not asked for: see Names.
func Disks(h *host.Host) ([]Disk, error) { panic("not built") }

// Names asks NVMe disks what they were called at their attachment: kernel name
// to "sdf". In a child process, under ctx's deadline.
func Names(ctx context.Context, h *host.Host, kernels []string) (map[string]string, error) {
	panic("not built")
}

// Holders are the kernel names of what lies directly upon a disk or another
// block device: arrays, device-mapper's, partitions.
func Holders(h *host.Host, kernel string) ([]string, error) { panic("not built") }

// Below are the kernel names of the whole disks that a block device lies upon,
// however many layers down.
func Below(h *host.Host, kernel string) ([]string, error) { panic("not built") }

// Mapped is the kernel name of a device-mapper device, "dm-3"; "" where there is
// none of that name.
func Mapped(h *host.Host, name string) (string, error) { panic("not built") }

// Examine reads a device's md superblock; false where it has none.
func Examine(ctx context.Context, h *host.Host, node string) (Member, bool, error) {
	panic("not built")
}

// Arrays are the kernel's md arrays, with the UUIDs that mdadm --detail says.
func Arrays(ctx context.Context, h *host.Host) ([]Array, error) { panic("not built") }

// Look asks LVM about these devices, whatever lists it has of its own.
func Look(ctx context.Context, h *host.Host, nodes []string) (LVM, error) { panic("not built") }

// Probe asks blkid what a device holds.
func Probe(ctx context.Context, h *host.Host, node string) (Content, error) { panic("not built") }

// Mounts are all mounts of the machine.
func Mounts(h *host.Host) ([]Mount, error) { panic("not built") }

// Blank proves that nobody has ever put anything on a device. The error is a
// *NotBlank where something was found. Above SampleLimit every byte is read,
// unless witnessed: something beside the device says that it is new.
func Blank(ctx context.Context, h *host.Host, node string, witnessed bool) error {
	panic("not built")
}

// SampleLimit is the size up to which samples prove a device blank, in bytes.
const SampleLimit = 64 << 30
