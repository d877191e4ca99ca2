package block

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
)

// Each disk stands with all that lies upon it, a partition and a file system
// among it; one that does not answer has an error in its place, and the others
// are told.
func TestTree(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
	s.upon("dm-0", "nvme1n1")
	s["/sys/devices/virtual/block/dm-0/dm/name"] = "db-mysql\n"
	s["/sys/devices/virtual/block/dm-0/dev"] = "254:0\n"
	s["/sys/devices/pci/nvme0n1/nvme0n1p1/dev"] = "259:1\n"
	s["/sys/devices/pci/nvme0n1/nvme0n1p1/size"] = "2048\n"
	s["/proc/self/mountinfo"] += "30 20 254:0 / /var/lib/db rw - xfs /dev/mapper/db-mysql rw\n"
	m := s.machine(t)
	for kernel, said := range map[string]string{"nvme0n1": "PTTYPE=gpt\n", "nvme0n1p1": "TYPE=ext4\n", "nvme1n1": "TYPE=LVM2_member\n", "dm-0": "TYPE=xfs\nLABEL=data\nUUID=1-2\n"} {
		say(m, host.Output{Stdout: []byte(said)}, "blkid", "-p", "-o", "export", "/dev/"+kernel)
	}
	say(m, host.Output{Code: 4, Stderr: []byte("input/output error")}, "blkid", "-p", "-o", "export", "/dev/nvme2n1")
	got, err := Tree(t.Context(), m.Host())
	if err != nil {
		t.Fatal(err)
	}
	none := []Layer{}
	want := []Layer{
		{Kernel: "nvme0n1", What: "ebs", Name: "vol-0f0f0f0f0f0f0f0f0", Size: 1 << 30, Type: "gpt", Mounted: []string{}, Upon: []Layer{
			{Kernel: "nvme0n1p1", What: "partition", Size: 1 << 20, Type: "ext4", Mounted: []string{"/"}, Upon: none}}},
		{Kernel: "nvme1n1", What: "ebs", Name: "vol-0aaaaaaaaaaaaaaa1", Size: 64 << 20, Type: "LVM2_member", Mounted: []string{}, Upon: []Layer{
			{Kernel: "dm-0", What: "mapped", Name: "db-mysql", Size: 64 << 20, Type: "xfs", UUID: "1-2", Label: "data", Mounted: []string{"/var/lib/db"}, Upon: none}}},
		{Kernel: "nvme2n1", What: "ebs", Name: "vol-0aaaaaaaaaaaaaaa2", Size: 64 << 20, Error: "blkid -p -o export /dev/nvme2n1: exit code 4: input/output error", Mounted: []string{}, Upon: none},
	}
	byName := map[string]Layer{}
	for _, l := range got {
		byName[l.Name] = l
	}
	for _, w := range want {
		if diff := cmp.Diff(w, byName[w.Name]); diff != "" {
			t.Error(diff)
		}
	}
}
