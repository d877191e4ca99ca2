package storage

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/block"
	"reveille/bootstrap/plan"
)

const dataUnit = "srv-my\\x20data.mount"

func mountOf(on Device, kind string) Mount {
	return Mount{Path: "/srv/my data", From: FileSystem{Common: Common{Folder: storageDir}, On: on, Type: kind}}
}

// withMounts are the disks of a machine whose systemd mounts; all of them hold
// this type.
func withMounts(t *testing.T, kind string) *disks {
	t.Helper()
	d := withDisks(t)
	for _, node := range []string{onVolume.node, onArray.node, "/dev/dm-0"} {
		d.holds[node] = block.Content{Type: kind, UUID: vanilla}
	}
	d.OnJob(d.job)
	return d
}

// job is systemd with a mount unit.
func (d *disks) job(verb, unit string) {
	if verb != "start" || !strings.HasSuffix(unit, ".mount") {
		return
	}
	if d.bad["mount"] != 0 {
		d.SetUnit(unit, "failed")
		return
	}
	said := map[string]string{}
	for line := range strings.Lines(d.Read(runUnits + "/" + unit)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			said[k] = v
		}
	}
	options := "rw"
	if slices.Contains(strings.Split(said["Options"], ","), "ro") {
		options = "ro"
	}
	d.Put(said["Where"]+"/", "", 0)
	d.mounted(said["Where"], said["What"], said["Type"], options)
	d.SetUnit(unit, "active")
}

func (d *disks) mounted(at, node, kind, options string) {
	node = kernelNode(d.Host(), node)
	number := strings.TrimSpace(d.Read("/sys/block/" + path.Base(node) + "/dev"))
	d.Put("/proc/self/mountinfo", d.Read("/proc/self/mountinfo")+
		fmt.Sprintf("30 20 %s / %s %s,relatime shared:9 - %s %s %s\n", number, strings.ReplaceAll(at, " ", `\040`), options, kind, node, options), 0o644)
}

// The unit file is this boot's own, has no place in the boot's order, and says
// what the profile says.
func TestMount(t *testing.T) {
	d := withMounts(t, "xfs")
	m := mountOf(onArray, "xfs")
	m.Options = []string{"noatime", "context=100%"}
	did, err := settle(t, d.Host(), m, plan.Disrupts)
	if want := []string{"mount raid:data (on vol-1, vol-2) on /srv/my data (xfs)"}; err != nil || !slices.Equal(did, want) {
		t.Fatalf("did %q, %v; want %q", did, err, want)
	}
	want := `# Written by reveille for this boot alone. What reads it waits for the volume.
[Unit]
Description=xfs of raid:data (on vol-1, vol-2)
DefaultDependencies=no
Conflicts=umount.target
Before=umount.target

[Mount]
What=/dev/md127
Where=/srv/my data
Type=xfs
Options=noatime,context=100%%
DirectoryMode=0755
TimeoutSec=90
`
	if diff := cmp.Diff(want, d.Read("/run/systemd/system/"+dataUnit)); diff != "" {
		t.Error(diff)
	}
	if jobs := d.Jobs(); !slices.Equal(jobs, []string{"daemon-reload", "start " + dataUnit}) {
		t.Errorf("systemd was asked for %q", jobs)
	}
	d.Forget()
	isSo(t, d.Host(), m)
	if n := d.Writes(); n > 0 {
		t.Errorf("a second look did %q", d.Effects())
	}
}

// Where systemd reads the new unit by itself, it need not read all others again;
// where it holds on to an older file of that name, it must.
func TestMountReloadsForAnOlderFileAlone(t *testing.T) {
	for before, want := range map[string][]string{"": {"start " + dataUnit}, "inactive": {"daemon-reload", "start " + dataUnit}} {
		d := withMounts(t, "xfs")
		d.ReadsAlone()
		if before != "" {
			d.SetUnit(dataUnit, before)
		}
		_, err := settle(t, d.Host(), mountOf(onArray, "xfs"), plan.Disrupts)
		if jobs := d.Jobs(); err != nil || !slices.Equal(jobs, want) {
			t.Errorf("%q before: systemd was asked for %q, %v", before, jobs, err)
		}
	}
}

// The root of the file system gets its owner and mode once it is mounted, and
// not the folder below it.
func TestMountOwner(t *testing.T) {
	d := withMounts(t, "xfs")
	m := mountOf(onVolume, "xfs")
	m.Owner, m.Group, m.Mode = strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getgid()), "0750"
	did, err := settle(t, d.Host(), m, plan.Disrupts)
	if err != nil || len(did) != 2 || !strings.HasPrefix(did[1], "set owner and mode of /srv/my data (") {
		t.Fatalf("did %q, %v", did, err)
	}
	if i, err := d.Host().Stat(m.Path); err != nil || i.Mode.Perm() != 0o750 {
		t.Errorf("%v, %v", i.Mode, err)
	}
	unmounted := withMounts(t, "xfs")
	m.Owner = "mysql"
	unmounted.refused(t, m, `no user "mysql"`)
}

func TestMountRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		path  string
		do    func(d *disks)
		words []string
	}{
		"another device is there": {do: func(d *disks) { d.mounted("/srv/my data", "/dev/md127", "xfs", "rw") }, words: []string{"/dev/md127 (xfs) is mounted there, and not volume vol-1", "umount /srv/my data"}},
		"another one on ours": {do: func(d *disks) {
			d.mounted("/srv/my data", "/dev/nvme1n1", "xfs", "rw")
			d.mounted("/srv/my data", "/dev/md127", "ext4", "rw")
		}, words: []string{"/dev/md127 (ext4)"}},
		"only a folder of it": {do: func(d *disks) {
			d.Put("/proc/self/mountinfo", rootMount+"30 20 259:1 /old /srv/my\\040data rw - xfs /dev/nvme1n1 rw\n", 0o644)
		}, words: []string{"only its folder /old is mounted there", "umount /srv/my data"}},
		"the folder is not empty": {do: func(d *disks) { d.Put("/srv/my data/ibdata1", "x", 0o644) }, words: []string{"holds ibdata1, which would be hidden"}},
		"a link":                  {do: func(d *disks) { d.Put("/srv", "-> /home", 0) }, words: []string{"/srv is a link to /home"}},
		"a file":                  {do: func(d *disks) { d.Put("/srv", "x", 0o644) }, words: []string{"/srv is no folder"}},
		"below an automount": {do: func(d *disks) {
			d.Put("/proc/self/mountinfo", rootMount+"21 20 0:50 / /srv rw - autofs /etc/auto.srv rw\n", 0o644)
		}, words: []string{"lies on autofs"}},
		"a unit of a person's":       {do: func(d *disks) { d.Put("/etc/systemd/system/"+dataUnit, "", 0o644) }, words: []string{"/etc/systemd/system/" + dataUnit + " is somebody's own unit"}},
		"masked":                     {do: func(d *disks) { d.SetUnit(dataUnit, "masked") }, words: []string{"systemctl unmask '" + dataUnit + "'"}},
		"the root":                   {path: "/", words: []string{"no place for it"}},
		"no clean path":              {path: "/srv/../data", words: []string{"no place for it"}},
		"a line end in the path":     {path: "/srv/a\nb", words: []string{"a control character"}},
		"a path that is no unit":     {path: "/" + strings.Repeat("ä", 100), words: []string{"too long"}},
		"the kernel made it so":      {do: func(d *disks) { d.mounted("/srv/my data", "/dev/nvme1n1", "xfs", "ro") }, words: []string{"nobody asked for that", "mount -o remount,rw /srv/my data"}},
		"the device has no number":   {do: func(d *disks) { d.Put("/sys/block/nvme1n1/dev", "x", 0o644) }, words: []string{"number of the device nvme1n1"}},
		"who knows whether writable": {do: func(d *disks) { d.Put("/sys/block/nvme1n1/ro", "-> gone", 0) }, words: []string{"whether nvme1n1 may be written to"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := withMounts(t, "xfs")
			if c.do != nil {
				c.do(d)
			}
			m := mountOf(onVolume, "ext4")
			if c.path != "" {
				m.Path = c.path
			}
			d.refused(t, m, append(c.words, "mount on "+m.Path)...)
		})
	}
}

// What is mounted from the right device is so, whoever did it; a person who then
// unmounts it means that, until the next boot.
func TestMountOfOthers(t *testing.T) {
	d := withMounts(t, "xfs")
	m := mountOf(onVolume, "xfs")
	d.mounted(m.Path, "/dev/nvme1n1", "xfs", "rw")
	isSo(t, d.Host(), m)
	if err := m.Confirm(d.Host()); err != nil {
		t.Fatal(err)
	}
	d.Put("/proc/self/mountinfo", rootMount, 0o644)
	for _, state := range []string{"absent", "inactive", "failed"} {
		d.SetUnit(dataUnit, state)
		d.refused(t, m, "somebody unmounted it", "`systemctl start '"+dataUnit+"'` does")
	}
}

func TestMountStaysUnmounted(t *testing.T) {
	d := withMounts(t, "xfs")
	m := mountOf(onVolume, "xfs")
	if _, err := settle(t, d.Host(), m, plan.Disrupts); err != nil {
		t.Fatal(err)
	}
	d.Put("/proc/self/mountinfo", rootMount, 0o644)
	d.SetUnit(dataUnit, "inactive")
	d.refused(t, m, "somebody unmounted it")
	if err := d.Host().RemoveAll("/run/reveille"); err != nil { // the next boot
		t.Fatal(err)
	}
	if did, err := settle(t, d.Host(), m, plan.Disrupts); err != nil || len(did) != 1 {
		t.Errorf("did %q, %v", did, err)
	}
}

// One that systemd could not mount is tried once, and a person is told how to go
// on; where it can be tried otherwise, it is.
func TestMountFails(t *testing.T) {
	for kind, remedy := range map[string]string{"xfs": "`xfs_repair -n /dev/nvme1n1`", "ext4": "`e2fsck -f /dev/nvme1n1`"} {
		d := withMounts(t, kind)
		d.bad["mount"] = 32
		m := mountOf(onVolume, kind)
		if _, err := settle(t, d.Host(), m, plan.Disrupts); err == nil {
			t.Fatalf("%s: no error", kind)
		}
		d.refused(t, m, "volume vol-1 could not be mounted: it said so", remedy, "then `systemctl start '"+dataUnit+"'`")
		delete(d.bad, "mount")
		d.Put("/sys/block/nvme1n1/ro", "1\n", 0o644)
		if _, err := settle(t, d.Host(), m, plan.Disrupts); err == nil || !strings.Contains(err.Error(), "mounted read-only, as volume vol-1") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A device that may not be written to is mounted read-only, whatever is above
// it, and the step says so and who is missing: nothing starts on it.
func TestMountReadOnly(t *testing.T) {
	lv := lying{id: "lvm:db/mysql", node: "/dev/dm-0", volumes: []string{"vol-1", "vol-2"}, notes: []string{"volume vol-3 is missing"}}
	d := withMounts(t, "ext4")
	d.Put("/sys/block/md127/ro", "1\n", 0o644)
	for path, text := range map[string]string{"/dev/dm-0": "", "/sys/block/dm-0/dev": "253:0\n", "/sys/block/dm-0/ro": "0\n", "/sys/block/dm-0/slaves/md127/": ""} {
		d.Put(path, text, 0o644)
	}
	m := mountOf(lv, "ext4")
	m.Options = []string{"rw"}
	did, err := settle(t, d.Host(), m, plan.Disrupts)
	if len(did) != 1 || !strings.HasSuffix(did[0], ", read-only") || err == nil {
		t.Fatalf("did %q, %v", did, err)
	}
	for _, w := range []string{"mounted read-only, as lvm:db/mysql (on vol-1, vol-2) may not be written to: volume vol-3 is missing", "degraded: start"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nwant %q", err, w)
		}
	}
	if text := d.Read("/run/systemd/system/" + dataUnit); !strings.Contains(text, "\nOptions=rw,ro\n") {
		t.Error(text)
	}
	if len(d.ran) > 0 {
		t.Errorf("it ran %q: nothing can be mended there", d.ran)
	}
	m.Options = []string{"ro,noatime"}
	isSo(t, d.Host(), m)
}
