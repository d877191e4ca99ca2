package debug

import (
	"strings"
	"testing"

	"reveille/bootstrap/block"
)

func TestStorageTellsEachDeviceOnce(t *testing.T) {
	lv := block.Layer{Kernel: "dm-0", What: "mapped", Name: "db-mysql", Size: 96 << 20, Type: "xfs", Label: "data", Mounted: []string{"/var/lib/mysql"}}
	array := block.Layer{Kernel: "md127", What: "array", Name: "data", Size: 1 << 30, State: "raid10, clean, 2 of 2", Type: "LVM2_member", Upon: []block.Layer{lv}}
	var b strings.Builder
	Storage(&b, []block.Layer{
		{Kernel: "nvme1n1", What: "ebs", Name: "vol-0aaaaaaaaaaaaaaa1", Attach: "sdf", Size: 1 << 30, Type: "linux_raid_member", Upon: []block.Layer{array}},
		{Kernel: "nvme2n1", What: "ebs", Name: "vol-0aaaaaaaaaaaaaaa2", Attach: "sdg", Size: 1 << 30, Type: "linux_raid_member", Upon: []block.Layer{array}},
		{Kernel: "nvme3n1", What: "ebs", Name: "vol-0aaaaaaaaaaaaaaa3", Size: 1536 << 20, Error: "blkid: \x1b[31mno answer"},
		{Kernel: "nvme0n1", What: "ebs", Name: "vol-0f0f0f0f0f0f0f0f0", Size: 8 << 30, Type: "ext4", Mounted: []string{"/"}},
	})
	want := `ebs  vol-0aaaaaaaaaaaaaaa1  sdf  nvme1n1  1 GiB
  array  data  md127  1 GiB  raid10, clean, 2 of 2
    mapped  db-mysql  dm-0  96 MiB
      xfs data on /var/lib/mysql
ebs  vol-0aaaaaaaaaaaaaaa2  sdg  nvme2n1  1 GiB
  array data (as above)
ebs  vol-0aaaaaaaaaaaaaaa3  nvme3n1  1.5 GiB
  ! blkid: �[31mno answer
  nothing that is known, not mounted
ebs  vol-0f0f0f0f0f0f0f0f0  nvme0n1  8 GiB
  ext4 on /
`
	if b.String() != want {
		t.Errorf("got\n%s\nwanted\n%s", b.String(), want)
	}
}
