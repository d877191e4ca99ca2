package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

// world is a machine with disks: what lies on them, what its kernel has made of
// them, and tools that change both, as the real ones do.
type world struct {
	*hosttest.Machine
	t      *testing.T
	disks  map[string]string       // volume id -> kernel name
	super  map[string]block.Member // by kernel name
	sizes  map[string]int64        // of a kernel name's device, where it is not worldDisk
	uses   map[string]int64        // what of each member an array uses, by its UUID, where it is not worldDisk
	holds  map[string]string       // what blkid says, by kernel name: "xfs"
	dirty  map[string]string       // bytes that nobody recognises
	arrays map[string]*worldArray
	pvs    map[string]*worldPV // by kernel name
	lvs    map[string]*worldLV // by "group/name"
	ran    []string            // what changed anything
	tear   int                 // mdadm --create ends after so many superblocks
	cut    string              // the power goes in this tool: it does nothing
	bad    string              // this tool fails
	deaf   string              // this disk cannot be read
	copied string              // the node that LVM passes over, as a copy
	old    bool                // an LVM without autoactivation
}

type worldArray struct {
	uuid, name, state string
	level, devices    int
	members           []string
}

type worldPV struct {
	uuid, group string
	size        int64 // 0: worldDisk
}

type worldLV struct {
	size             int64
	active, readOnly bool
	kernel           string
}

const (
	worldDisk   = int64(1 << 30)
	worldExtent = int64(4 << 20)
)

var storage = Common{Folder: "/var/lib/reveille/instances/i-1", Witnessed: map[string]bool{}, Snapshot: map[string]bool{}}

// newWorld has blank volumes of these ids, vol-0a and so on.
func newWorld(t *testing.T, ids ...string) *world {
	t.Helper()
	return worldIn(t, t.TempDir(), ids...)
}

// worldIn is newWorld in a folder of the caller's.
func worldIn(t *testing.T, root string, ids ...string) *world {
	t.Helper()
	w := &world{t: t, disks: map[string]string{}, super: map[string]block.Member{}, holds: map[string]string{}, dirty: map[string]string{},
		sizes: map[string]int64{}, uses: map[string]int64{}, arrays: map[string]*worldArray{}, pvs: map[string]*worldPV{}, lvs: map[string]*worldLV{}}
	w.Machine = hosttest.In(t, root, map[string]string{
		"/var/": "", "/run/": "", "/sys/block/": "", bootIDPath: "boot-1\n",
		"/proc/self/mountinfo": "20 1 0:1 / / rw,relatime shared:1 - overlay overlay rw\n",
		"/proc/swaps":          "Filename Type Size Used Priority\n",
	})
	for _, p := range []string{"mdadm", "pvcreate", "vgcreate", "vgextend", "lvcreate", "lvchange", "pvresize", "lvextend"} {
		w.Put("/usr/sbin/"+p, "", 0o755)
	}
	w.OnLaunch(w.launch)
	w.Answer(w.answer)
	for _, id := range ids {
		w.attach(id)
	}
	return w
}

// attach gives the next kernel name to a volume.
func (w *world) attach(id string) {
	kernel := fmt.Sprintf("nvme%dn1", len(w.disks)+1)
	w.disks[id] = kernel
	w.device(kernel)
	model := "Amazon Elastic Block Store"
	if block.IsStore(id) {
		model = "Amazon EC2 NVMe Instance Storage"
	}
	w.Put("/sys/class/block/"+kernel+"/device/model", model+"   \n", 0o444)
	w.Put("/sys/class/block/"+kernel+"/device/serial", strings.ReplaceAll(id, "-", "")+"\n", 0o444)
}

// detach takes a volume away, with its superblock on it.
func (w *world) detach(id string) {
	w.gone(w.disks[id])
	delete(w.disks, id)
}

func (w *world) device(kernel string, under ...string) {
	folder := "/sys/devices/" + kernel
	w.Put(folder+"/holders/", "", 0)
	w.Put(folder+"/slaves/", "", 0)
	w.Put(folder+"/size", fmt.Sprintln(w.sizeOf(kernel)/512), 0o444)
	w.Put(folder+"/ro", "0\n", 0o444)
	w.Put(folder+"/dev", fmt.Sprintf("9:%d\n", len(kernel)*1000+int(kernel[len(kernel)-1])), 0o444)
	w.Put("/sys/class/block/"+kernel, "-> ../../devices/"+kernel, 0)
	w.Put("/sys/block/"+kernel, "-> ../devices/"+kernel, 0)
	w.Put("/dev/"+kernel, "", 0o600)
	for _, u := range under {
		w.Put(folder+"/slaves/"+u, "-> ../../"+u, 0)
		w.Put("/sys/devices/"+u+"/holders/"+kernel, "-> ../../"+kernel, 0)
	}
}

func (w *world) gone(kernel string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.Root, "/sys/devices/*/holders/", kernel))
	for _, p := range append(found, filepath.Join(w.Root, "/sys/devices", kernel), filepath.Join(w.Root, "/sys/class/block", kernel),
		filepath.Join(w.Root, "/sys/block", kernel), filepath.Join(w.Root, "/dev", kernel)) {
		if err == nil {
			err = os.RemoveAll(p)
		}
	}
	if err != nil {
		w.t.Error(err)
	}
}

// assembled lets the kernel have an array of these.
func (w *world) assembled(kernel, state string, members ...string) {
	m := w.super[members[0]]
	a := &worldArray{uuid: m.UUID, name: m.Name, state: state, devices: m.Devices, members: members}
	_, _ = fmt.Sscanf(m.Level, "raid%d", &a.level)
	w.arrays[kernel] = a
	for k, p := range w.pvs { // what lies on it follows it to its new name
		if strings.HasPrefix(k, "md") && state != "inactive" {
			delete(w.pvs, k)
			w.pvs[kernel] = p
		}
	}
	w.device(kernel, members...)
	for _, k := range members {
		w.Put("/sys/devices/"+kernel+"/md/dev-"+k+"/state", "in_sync\n", 0o444)
		w.Put("/sys/devices/"+kernel+"/md/dev-"+k+"/offset", "0\n", 0o444)
	}
	w.show(kernel)
}

func (w *world) show(kernel string) {
	a := w.arrays[kernel]
	ro := "0\n"
	if a.state == "readonly" {
		ro = "1\n"
	}
	for name, text := range map[string]string{
		"ro": ro, "md/array_state": a.state + "\n", "md/level": fmt.Sprintf("raid%d\n", a.level), "md/raid_disks": fmt.Sprintln(a.devices),
		"md/degraded": fmt.Sprintln(a.devices - len(a.members)), "md/sync_action": "idle\n", "md/metadata_version": "1.2\n", "md/layout": "258\n",
		"size": fmt.Sprintln(w.usesOf(a) / 512), "md/component_size": fmt.Sprintln(w.usesOf(a) >> 10),
	} {
		w.Put("/sys/devices/"+kernel+"/"+name, text, 0o444)
	}
}

// reboot lets the kernel forget, and changes every kernel name.
func (w *world) reboot() {
	for k := range w.arrays {
		w.gone(k)
	}
	for n, v := range w.lvs {
		if v.kernel != "" {
			w.gone(v.kernel)
		}
		w.lvs[n].active, w.lvs[n].kernel = false, ""
	}
	w.arrays = map[string]*worldArray{}
	for _, name := range []string{"raid:data", "lvm:db", "lvm:db/mysql"} {
		w.SetTask(toolUnit(name), host.TaskState{})
		w.SetTask(toolUnit("grow:"+name), host.TaskState{})
	}
	w.Put(bootIDPath, "boot-2\n", 0o444)
}

// member puts a superblock on a volume.
func (w *world) member(id, uuid, level string, devices int, events uint64) {
	w.super[w.disks[id]] = block.Member{UUID: uuid, Name: "data", Level: level, Devices: devices, Events: events, Device: mdUUID(newUUID())}
}

// bytes is all that lies on the disks, as text.
func (w *world) bytes() string {
	var pvs, lvs []string
	for k, p := range w.pvs {
		pvs = append(pvs, fmt.Sprint(k, "=", p.uuid, "@", p.group, " ", p.size))
	}
	for n, v := range w.lvs {
		lvs = append(lvs, fmt.Sprintf("%s=%d", n, v.size))
	}
	slices.Sort(pvs)
	slices.Sort(lvs)
	return fmt.Sprint(w.super, w.uses, w.holds, w.dirty, pvs, lvs)
}
