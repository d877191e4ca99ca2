package block

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDisksByVolume(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa2")
	s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa1")
	s.ebs("nvme4n1", "not a volume's")
	s.disk("nvme3n1", "Amazon EC2 NVMe Instance Storage", "AWS1234567890", "1000")
	s.disk("xvdf", "", "", "2048")
	s.disk("sda", "QEMU HARDDISK", "vol0aaaaaaaaaaaaaaa9", "8")
	for _, k := range []string{"loop0", "ram0", "zram0", "sr0", "fd0", "nbd0", "nvme1c0n1", "md127", "md_data", "dm-0"} {
		s.upon(k)
	}
	got, err := Disks(s.machine(t).Host())
	if err != nil {
		t.Fatal(err)
	}
	want := []Disk{
		{Kernel: "nvme2n1", Kind: EBS, Volume: "vol-0aaaaaaaaaaaaaaa1", Size: 64 << 20},
		{Kernel: "nvme1n1", Kind: EBS, Volume: "vol-0aaaaaaaaaaaaaaa2", Size: 64 << 20},
		{Kernel: "nvme0n1", Kind: EBS, Volume: "vol-0f0f0f0f0f0f0f0f0", Size: 1 << 30, Root: true},
		{Kernel: "nvme3n1", Kind: InstanceStore, Volume: "AWS1234567890", Size: 512000},
		{Kernel: "nvme4n1", Kind: EBS, Size: 64 << 20},
		{Kernel: "sda", Kind: Other, Size: 4096},
		{Kernel: "xvdf", Kind: Other, Name: "xvdf", Size: 1 << 20},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got[0].Node() != "/dev/nvme2n1" {
		t.Error(got[0].Node())
	}
}

// Whatever the running system lies on is the system's, through partitions,
// groups and arrays. What it swaps to is told apart.
func TestRootDisks(t *testing.T) {
	for name, c := range map[string]struct {
		mounts, swaps string
		want          string
	}{
		"partition":      {"259:1 / / rw - ext4 /dev/root rw", "", "nvme0n1"},
		"group on array": {"252:0 / / rw - xfs /dev/mapper/main-root rw", "", "nvme1n1 nvme2n1"},
		"var elsewhere":  {"259:1 / / rw - ext4 /dev/root rw\n21 1 259:3 / /var rw - xfs /dev/nvme3n1 rw", "", "nvme0n1 nvme3n1"},
		"boot and usr":   {"252:0 / / rw - xfs x rw\n21 1 259:1 / /boot rw - ext4 x rw\n22 1 259:3 / /usr ro - xfs x ro", "", "nvme0n1 nvme1n1 nvme2n1 nvme3n1"},
		"swap":           {"259:1 / / rw - ext4 /dev/root rw", "/dev/nvme3n1 partition 65532 0 -2\n/swap.img file 99 0 -3", "nvme0n1; swap nvme3n1"},
		"btrfs":          {"0:44 /root / rw - btrfs /dev/nvme3n1 rw", "", "nvme3n1"},
		"btrfs by link":  {"0:44 /root / rw - btrfs /dev/mapper/main-root rw", "", "nvme1n1 nvme2n1"},
		"overlay":        {"0:44 / / rw - overlay overlay rw", "", ""},
		"swap, pulled":   {"259:1 / / rw - ext4 /dev/root rw", "/dev/nvme7n1\\040(deleted) partition 65532 0 -2", "nvme0n1"},
		"image's root":   {"0:44 / / rw - overlay composefs ro\n21 1 259:1 / /sysroot rw - xfs x rw\n22 1 259:3 / /boot/efi rw - vfat x rw", "", "nvme0n1 nvme3n1"},
		"data alone":     {"259:1 / / rw - ext4 /dev/root rw\n21 1 259:3 / /var/lib/mysql rw - xfs /dev/nvme3n1 rw", "", "nvme0n1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSys()
			s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
			s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
			s.ebs("nvme3n1", "vol0aaaaaaaaaaaaaaa3")
			s.upon("md127", "nvme1n1", "nvme2n1")
			s.upon("dm-0", "md127")
			s["/sys/dev/block/252:0"] = "-> ../../devices/virtual/block/dm-0"
			s["/sys/dev/block/259:3"] = "-> ../../devices/pci/nvme3n1"
			s["/dev/mapper/main-root"] = "-> ../dm-0"
			s["/proc/self/mountinfo"] = "20 1 " + c.mounts + "\n"
			s["/proc/swaps"] += c.swaps + "\n"
			disks, err := Disks(s.machine(t).Host())
			if err != nil {
				t.Fatal(err)
			}
			var root []string
			swap := ""
			for _, d := range disks {
				if d.Root {
					root = append(root, d.Kernel)
				}
				if d.Swap {
					swap += "; swap " + d.Kernel
				}
			}
			// Sorted by volume: the root's comes last.
			slices.Sort(root)
			if got := strings.Join(root, " ") + swap; got != c.want {
				t.Errorf("the system's are %q, not %q", got, c.want)
			}
		})
	}
}

// A disk that cannot be read is named and the others are there; where the
// system's own cannot be told, none is.
func TestUnreadableDisks(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
	s["/sys/devices/pci/nvme1n1/size"] = "many\n"
	disks, err := Disks(s.machine(t).Host())
	if err == nil || !strings.Contains(err.Error(), "nvme1n1") || strings.Contains(err.Error(), "nvme2n1") {
		t.Errorf("the error is %v", err)
	}
	if len(disks) != 2 || disks[0].Kernel != "nvme2n1" {
		t.Errorf("the others are %v", disks)
	}

	s = newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s["/proc/self/mountinfo"] = "20 1 259:9 / / rw - ext4 /dev/gone rw\n"
	if disks, err := Disks(s.machine(t).Host()); err == nil || len(disks) > 0 || !strings.Contains(err.Error(), "gone") {
		t.Errorf("with an unknown root: %v, %v", disks, err)
	}
}

func TestLayers(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
	s.upon("md127", "nvme1n1", "nvme2n1")
	s.upon("dm-0", "md127")
	s.upon("dm-1", "md127")
	s["/sys/devices/virtual/block/dm-0/dm/name"] = "main-db\n"
	s["/sys/devices/virtual/block/dm-1/dm/name"] = "main-my--logs\n"
	h := s.machine(t).Host()
	join := func(list []string, err error) string {
		if err != nil {
			return err.Error()
		}
		return strings.Join(list, " ")
	}
	for _, c := range [][2]string{
		{join(Holders(h, "nvme0n1")), "nvme0n1p1"},
		{join(Holders(h, "nvme1n1")), "md127"},
		{join(Holders(h, "md127")), "dm-0 dm-1"},
		{join(Holders(h, "dm-0")), ""},
		{join(Holders(h, "none")), ""},
		{join(Below(h, "dm-1")), "nvme1n1 nvme2n1"},
		{join(Below(h, "nvme0n1p1")), "nvme0n1"},
		{join(Below(h, "nvme1n1")), "nvme1n1"},
		{join(Below(h, "none")), `block device "none": file does not exist`},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, not %q", c[0], c[1])
		}
	}
	for name, want := range map[string]string{"main-db": "dm-0", "main-my--logs": "dm-1", "main-d": "", "main": "", "": ""} {
		if got, err := Mapped(h, name); got != want || err != nil {
			t.Errorf("%q is %q, %v, not %q", name, got, err, want)
		}
	}
}

func TestBelowEndsInACircle(t *testing.T) {
	s := newSys()
	s.upon("dm-0", "dm-1")
	s.upon("dm-1", "dm-0")
	if _, err := Below(s.machine(t).Host(), "dm-0"); err == nil || !strings.Contains(err.Error(), "upon itself") {
		t.Errorf("the error is %v", err)
	}
}

func TestSize(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa2")
	h := s.machine(t).Host()
	if got, err := Size(h, "/dev/nvme1n1"); err != nil || got != 64<<20 {
		t.Errorf("%d bytes, %v", got, err)
	}
}
