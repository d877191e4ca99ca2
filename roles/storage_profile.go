package roles

import (
	"slices"
	"time"

	"reveille/bootstrap/storage"
)

// Storage is the role's disks and what lies on them. Each list but Mounts is
// sorted by name; every reference names something that is there, and nothing
// is used twice.
type Storage struct {
	Wait     time.Duration // how long volumes are waited for
	FromTags bool          // tags of volumes add to it
	Grow     bool          // what lies on volumes becomes larger with them
	Volumes  []VolumeSet
	Arrays   []Array
	Groups   []Group
	Mounts   []Mount // in the profile's order, then what tags ask for
	Swaps    []SwapArea
	Held     []HeldBack // what tags ask for, and is not done
}

// ByName says that volumes are chosen by the names given at their attachment.
func (s Storage) ByName() bool {
	return slices.ContainsFunc(s.Volumes, func(v VolumeSet) bool { return len(v.Devices) > 0 })
}

// VolumeSet is EBS volumes by one of three ways to choose them, or instance store.
type VolumeSet struct {
	Name    string
	Tags    map[string]string // all must be equal
	IDs     []string
	Devices []string // as given at the attachment, in the form "sdf"
	Store   bool     // the instance's own disks, all of them
	Count   int      // how many there must be, 1 or more
}

// Array is an md array.
type Array struct {
	Name     string
	Level    int    // 0, 1, 5, 6, 10
	Of       string // the volume set's name
	Chunk    int64  // KiB; 0 is mdadm's own
	Bitmap   string // internal, none; "" is mdadm's own
	Create   storage.Consent
	Degraded string // read-only, start, refuse
}

// Group is an LVM volume group.
type Group struct {
	Name     string
	Of       []Ref
	Volumes  []LogicalVolume
	Create   storage.Consent
	Degraded string // as Array
}

// LogicalVolume is a volume of a group.
type LogicalVolume struct {
	Name    string
	Size    int64 // bytes; 0 where Percent counts
	Percent int   // of the group
	Stripes int   // 0 is none
}

// Mount is a file system, and where it is.
type Mount struct {
	Path    string
	From    Ref
	Type    string // xfs, ext4
	Options []string
	Label   string
	Mkfs    []string
	Owner   string
	Group   string
	Mode    string
	Create  storage.Consent
	By      string // who asks for it, where that is not the profile: "tags of vol-…"
}

// SwapArea is what the machine swaps to.
type SwapArea struct {
	From   Ref
	Label  string
	Create storage.Consent
	By     string // as Mount
}

// Ref names what something lies on.
type Ref struct {
	Kind string // volumes, raid, lvm
	Name string // of a logical volume: GROUP/VOLUME
}

// String is the reference as it is written.
func (r Ref) String() string { return r.Kind + "/" + r.Name }
