package resource

import (
	"context"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Consent is when something may be created on a role's disks.
type Consent string

// The consents. Whatever they say, it is created on devices that are proven
// blank, and on no others.
const (
	CreateNever   Consent = "never"
	CreateIfBlank Consent = "if-blank" // while the instance's storage has never been complete
)

// Storage is what the resources of one instance's disks have in common.
type Storage struct {
	Folder    string          // the instance's own, for intents and what is known of its volumes
	Witnessed map[string]bool // volumes that something beside the device says are new
	Snapshot  map[string]bool // volumes made from a snapshot: never blank
}

// Device is a block device that a plan makes: a volume, an array, a logical
// volume.
type Device interface {
	plan.Resource
	// Node is its device node now; a *plan.NotYet where it is not there.
	Node(ctx context.Context, h *host.Host) (string, error)
	// Volumes are the ids of those that it lies upon, sorted.
	Volumes() []string
}

// Volumes is a set of EBS volumes that are attached. Its ID is "volumes:" +
// Name; it is live. It never changes anything.
type Volumes struct {
	Name  string
	IDs   []string // those that are known, sorted
	Count int      // how many there should be
	Say   string   // how they were chosen, for people: "tags array=data"
	Lacks string   // why fewer are known than there should be; "" where all are
}

// Volume is one of them. Its ID is "volume:" + VolumeID; it is no step of its own.
type Volume struct{ VolumeID string }

// MDArray is an md array over volumes. Its ID is "raid:" + Name; it is live.
type MDArray struct {
	Storage
	Name     string
	Level    int      // 0, 1, 5, 6, 10
	Over     []string // volume ids, sorted
	Count    int      // how many members it has when it is whole
	Chunk    int64    // KiB; 0 is mdadm's own
	Bitmap   string   // "internal", "none"; "" is mdadm's own
	Create   Consent
	Degraded string // "read-only", "start", "refuse"
}

// VolumeGroup is an LVM group. Its ID is "lvm:" + Name; it is live.
type VolumeGroup struct {
	Storage
	Name     string
	Over     []Device
	Create   Consent
	Degraded string // as MDArray
}

// LogicalVolume is a volume of a group. Its ID is "lvm:" + group + "/" + Name; it
// is live.
type LogicalVolume struct {
	Group   VolumeGroup
	Name    string
	Size    int64 // bytes; 0 where Percent counts
	Percent int   // of the group
	Stripes int   // 0 and 1 are none
	Create  Consent
}
