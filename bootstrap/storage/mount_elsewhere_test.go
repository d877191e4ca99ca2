package storage

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// What is mounted at another path is refused, with where: neither is it mounted a
// second time, nor are its owner and mode set. At the right path as well, it is so.
func TestMountedElsewhere(t *testing.T) {
	for _, kind := range []string{"xfs", "ext4"} {
		d := withMounts(t, kind)
		m := mountOf(onVolume, kind)
		m.Mode = "0700"
		ctx := plan.WithAllowed(t.Context(), plan.Disrupts)
		changes, err := m.Check(ctx, d.Host())
		if err != nil || len(changes) != 1 {
			t.Fatalf("%v, %v", changes, err)
		}
		d.mounted("/mnt", "/dev/nvme1n1", kind, "rw")
		words := "volume vol-1 is mounted on /mnt already: `umount /mnt`, or "
		if err := changes[0].Do(ctx); !strings.Contains(text(err), words) || len(d.Jobs()) > 0 || len(d.ran) > 0 {
			t.Errorf("%v; ran %q, %q", err, d.ran, d.Jobs())
		}
		d.refused(t, m, words)
		m.Mode = ""
		d.Put("/srv/my data/", "", 0)
		d.mounted(m.Path, "/dev/nvme1n1", kind, "rw")
		isSo(t, d.Host(), m)
	}
}

// What is mounted in its place is named by the volumes that it lies upon, however
// many layers up; by its kernel name alone where one of these is no volume.
func TestAnotherIsMountedThere(t *testing.T) {
	for serials, words := range map[string]string{
		"vol0000000b vol0000000c": "xfs of volumes vol-0000000b, vol-0000000c (md127) is mounted there, and not volume vol-1: `umount /srv/my data`",
		"vol0000000b AWS1234":     "/dev/md127 (xfs) is mounted there, and not volume vol-1",
	} {
		d := withMounts(t, "xfs")
		for _, path := range []string{"/dev/nvme0n1", "/sys/class/block/nvme0n1/"} { // the root
			d.Put(path, "", 0o644)
		}
		d.Put("/sys/class/block/md127", "-> ../../block/md127", 0)
		d.Put("/sys/block/md127/slaves/nvme2n1/", "", 0)
		for i, serial := range strings.Fields(serials) {
			disk := []string{"nvme1n1", "nvme2n1"}[i]
			d.Put("/sys/class/block/"+disk, "-> ../../block/"+disk, 0)
			d.Put("/sys/block/"+disk+"/size", "8\n", 0o644)
			d.Put("/sys/block/"+disk+"/device/model", "Amazon Elastic Block Store\n", 0o644)
			d.Put("/sys/block/"+disk+"/device/serial", serial+"\n", 0o644)
		}
		m := mountOf(onVolume, "xfs")
		d.mounted(m.Path, "/dev/md127", "xfs", "rw")
		d.refused(t, m, words)
	}
}

// An xfs that the kernel does not mount beside its origin is told for the copy that
// it is: xfs_repair, which finds nothing, would be the wrong remedy.
func TestCopyBesideItsOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		kind, uuid, words string
	}{
		"of the same UUID": {"xfs", vanilla, "it has the UUID (" + vanilla + ") of /dev/md127 (xfs), which is mounted on /srv/origin: one is a copy, as of a snapshot; detach the one that is not meant, or have both by options: [nouuid] here; then `systemctl start"},
		"of another":       {"xfs", "0" + vanilla[1:], "`xfs_repair -n /dev/nvme1n1`"},
		"of another kind":  {"ext4", vanilla, "`e2fsck -f /dev/nvme1n1`"},
	} {
		d := withMounts(t, c.kind)
		d.bad["mount"] = 32
		d.mounted("/srv/origin", "/dev/md127", c.kind, "rw")
		number := strings.TrimSpace(d.Read("/sys/block/md127/dev"))
		d.Put("/run/udev/data/b"+number, "S:disk/by-id/x\nE:ID_FS_TYPE="+c.kind+"\nE:ID_FS_UUID="+c.uuid+"\n", 0o644)
		m := mountOf(onVolume, c.kind)
		if _, err := settle(t, d.Host(), m, plan.Disrupts); err == nil {
			t.Fatalf("%s: no error", name)
		}
		d.refused(t, m, c.words)
	}
}
