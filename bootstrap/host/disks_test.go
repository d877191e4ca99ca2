package host

import (
	"encoding/binary"
	"strings"
	"testing"
)

// message is as libudev sends one: a header of 40 bytes, then the properties.
func message(properties ...string) []byte {
	head := make([]byte, 40)
	copy(head, "libudev\x00\xfe\xed\xca\xfe")
	binary.NativeEndian.PutUint32(head[12:], 40)
	binary.NativeEndian.PutUint32(head[16:], 40)
	copy(head[24:], strings.Repeat("A=", 8))
	return append(head, strings.Join(properties, "\x00")+"\x00"...)
}

func TestChangedDisk(t *testing.T) {
	cases := []struct {
		name    string
		message []byte
		kernel  string
		ok      bool
	}{
		{"a disk comes", message("ACTION=add", "DEVPATH=/devices/pci0/nvme/nvme1/nvme1n1", "SUBSYSTEM=block", "DEVNAME=/dev/nvme1n1", "DEVTYPE=disk"), "nvme1n1", true},
		{"a disk goes", message("UDEV_DATABASE_VERSION=1", "ACTION=remove", "SUBSYSTEM=block", "DEVNAME=/dev/xvdf", "DEVTYPE=disk"), "xvdf", true},
		{"a disk grows", message("ACTION=change", "SUBSYSTEM=block", "RESIZE=1", "DEVNAME=/dev/nvme1n1", "DEVTYPE=disk"), "nvme1n1", true},
		{"a disk was written to", message("ACTION=change", "SUBSYSTEM=block", "DEVNAME=/dev/nvme1n1", "DEVTYPE=disk"), "nvme1n1", false},
		{"a partition", message("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/nvme1n1p1", "DEVTYPE=partition"), "", false},
		{"an array", message("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/md127", "DEVTYPE=disk"), "", false},
		{"an array with a name", message("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/md_data", "DEVTYPE=disk"), "", false},
		{"a mapped device", message("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/dm-0", "DEVTYPE=disk"), "", false},
		{"a loop device", message("ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/loop0", "DEVTYPE=disk"), "", false},
		{"an interface", message("ACTION=add", "SUBSYSTEM=net", "INTERFACE=eth0"), "", false},
		{"somebody else's words", []byte("add@/devices/x\x00ACTION=add\x00SUBSYSTEM=block\x00DEVNAME=/dev/nvme1n1\x00DEVTYPE=disk\x00"), "", false},
		{"nothing", nil, "", false},
	}
	for _, c := range cases {
		if got, ok := changedDisk(c.message); ok != c.ok || ok && got != c.kernel {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
}
