package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

// lying is a device that a test says all about.
type lying struct {
	id, node string
	volumes  []string
	notes    []string
	err      error // of Node
}

func (l lying) ID() string                                               { return l.id }
func (l lying) Check(context.Context, *host.Host) ([]plan.Change, error) { return nil, nil }
func (l lying) Node(context.Context, *host.Host) (string, error)         { return l.node, l.err }
func (l lying) Volumes() []string                                        { return l.volumes }
func (l lying) Notes(*host.Host) []string                                { return l.notes }

var (
	onVolume = lying{id: "volume:vol-1", node: "/dev/nvme1n1", volumes: []string{"vol-1"}}
	onArray  = lying{id: "raid:data", node: "/dev/md127", volumes: []string{"vol-1", "vol-2"}}
)

const (
	vanilla    = "11111111-2222-4333-8444-555555555555" // somebody's
	storageDir = "/var/lib/reveille/instances/i-1"
	rootMount  = "20 1 259:0 / / rw,relatime shared:1 - ext4 /dev/nvme0n1 rw\n"
)

// disks are the devices of a machine, and the tools that change what they hold.
type disks struct {
	*hosttest.Machine
	holds  map[string]block.Content // by node
	dirty  map[string]bool          // not blank, whatever is recognised
	begun  map[string]bool          // what is recognised is of a mkfs that never ended
	cutAt  string                   // the power goes while this program runs
	bad    map[string]int           // exit code of a program
	size   map[string]int64         // bytes of a node's file system
	ran    []string
	spoils bool     // a program that fails has written before
	proofs []string // the readings of whole devices
	during func()   // such a reading something else happens
}

func withDisks(t *testing.T) *disks {
	t.Helper()
	files := map[string]string{
		"/var/": "", "/run/": "", "/dev/nvme1n1": "", "/dev/md127": "", "/proc/self/mountinfo": rootMount,
		"/proc/swaps":                      "Filename\tType\tSize\tUsed\tPriority\n",
		"/sys/block/nvme1n1/dev":           "259:1\n",
		"/sys/block/nvme1n1/ro":            "0\n",
		"/sys/block/md127/dev":             "9:127\n",
		"/sys/block/md127/ro":              "0\n",
		"/sys/block/md127/slaves/nvme1n1/": "",
		"/sys/class/block/nvme0n1/slaves/": "",
		"/sys/class/block/nvme1n1/diskseq": "7\n",
		"/sys/class/block/md127/diskseq":   "8\n",
		bootIDPath:                         "boot-1\n",
	}
	for _, p := range []string{"mkfs.xfs", "mkfs.ext4", "mkswap", "swapon", "wipefs", "e2fsck"} {
		files["/usr/sbin/"+p] = ""
	}
	d := &disks{Machine: hosttest.New(t, files), holds: map[string]block.Content{}, dirty: map[string]bool{}, begun: map[string]bool{}, bad: map[string]int{}}
	d.OnLaunch(d.launch)
	d.Answer(d.answer)
	return d
}

// deviceHas gives a device this size, in bytes.
func (d *disks) deviceHas(node string, size int64) {
	d.Put("/sys/class/block/"+path.Base(node)+"/size", fmt.Sprintln(size/512), 0o444)
}

func (d *disks) has(node string) int64 {
	size, err := block.Size(d.Host(), node)
	if err != nil {
		return 0
	}
	return size
}

// launch is what the tools do. mkfs.xfs refuses as the real one does, and
// mkfs.ext4 and mkswap do not.
func (d *disks) launch(t host.Task) host.TaskState {
	name, node := path.Base(t.Argv[0]), t.Argv[len(t.Argv)-1]
	d.ran = append(d.ran, strings.Join(append([]string{name}, t.Argv[1:]...), " "))
	if code := d.bad[name]; code != 0 {
		d.dirty[node] = d.dirty[node] || d.spoils
		return host.TaskState{State: "failed", Result: "exit-code", Code: code}
	}
	kind := strings.TrimPrefix(name, "mkfs.")
	switch name {
	case "wipefs":
		delete(d.holds, node)
	case "mkswap":
		kind = "swap"
		fallthrough
	case "mkfs.xfs", "mkfs.ext4":
		if name == "mkfs.xfs" && d.holds[node].Type != "" {
			return host.TaskState{State: "failed", Result: "exit-code", Code: 1}
		}
		uuid := strings.TrimPrefix(t.Argv[slices.IndexFunc(t.Argv, func(a string) bool { return a == "-m" || a == "-U" })+1], "uuid=")
		d.dirty[node], d.begun[node] = true, d.cutAt == name
		d.holds[node] = block.Content{Type: kind, UUID: uuid}
	case "resize2fs":
		d.size[node] = d.has(node)
	case "xfs_growfs":
		d.size[mountedFrom(d.Host(), node)] = d.has(mountedFrom(d.Host(), node))
	case "swapon":
		d.Put("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"+node+" partition 1 0 -2\n", 0o644)
	}
	if d.cutAt == name {
		panic(cutShort{})
	}
	return well
}

// cutShort is a power cut.
type cutShort struct{}

// answer is what tools say that only look.
func (d *disks) answer(argv []string) (host.Output, error, bool) {
	say := func(format string, a ...any) (host.Output, error, bool) {
		return host.Output{Stdout: []byte(fmt.Sprintf(format, a...))}, nil, true
	}
	node := argv[len(argv)-1]
	c := d.holds[node]
	switch argv[0] {
	case "journalctl":
		return say("it said so\n")
	case "sync":
		return say("")
	case "blkid":
		if code := d.bad["blkid"]; code != 0 {
			return host.Output{Code: code}, &host.ExitError{Argv: argv, Output: host.Output{Code: code}}, true
		}
		if c.Type == "" {
			return host.Output{Code: 2}, nil, true
		}
		if c.Type == "gpt" {
			return say("DEVNAME=%s\nPTTYPE=gpt\n", node)
		}
		return say("DEVNAME=%s\nLABEL=%s\nUUID=%s\nTYPE=%s\nUSAGE=filesystem\n", node, c.Label, c.UUID, c.Type)
	case "xfs_db":
		if d.begun[node] {
			return say("inprogress = 1\n")
		}
		return say("inprogress = 0\n")
	case "dumpe2fs":
		if d.begun[node] {
			return say("Filesystem state:         not clean\nLast mount time:          n/a\nMount count:              0\n")
		}
		return say("Filesystem state:         clean\nBlock count:              %d\nReserved GDT blocks:      1024\nBlock size:               4096\nInode blocks per group:   2048\nLast mount time:          n/a\nMount count:              0\n", d.size[node]/4096)
	case "xfs_growfs":
		return say("meta-data=%s isize=512\ndata     =                       bsize=4096   blocks=%d, imaxpct=25\nlog      =internal log           bsize=4096   blocks=16384, version=2\n", node, d.size[mountedFrom(d.Host(), node)]/4096)
	case "wipefs":
		return say("")
	case "/proc/self/exe": // the child that reads a device
		d.proofs = append(d.proofs, strings.Join(argv, " "))
		if d.during != nil {
			d.during()
		}
		if d.dirty[node] {
			return say(`{"found": "data at byte 4096", "size": 8192, "read": 8192}`)
		}
		return say(`{"blank": true, "size": 8192, "read": 8192}`)
	}
	return host.Output{}, nil, false
}

// settle looks and does, as a pass does that may do this much at most, until
// nothing is left to do or to wait for.
func settle(t *testing.T, h *host.Host, r plan.Resource, most plan.Risk) (did []string, err error) {
	t.Helper()
	return granted(t, h, r, most, plan.Grant{IfBlank: true})
}

// granted is a pass on somebody's word.
func granted(t *testing.T, h *host.Host, r plan.Resource, most plan.Risk, g plan.Grant) (did []string, err error) {
	t.Helper()
	ctx := plan.WithGrant(plan.WithAllowed(t.Context(), most), g)
	for range 9 {
		changes, err := r.Check(ctx, h)
		var wait *plan.NotYet
		if errors.As(err, &wait) {
			continue
		}
		if err != nil || len(changes) == 0 {
			return did, err
		}
		for _, c := range changes {
			if c.Risk > most {
				return append(did, "not done: "+c.Say), nil
			}
			if err := c.Do(ctx); err != nil && !errors.As(err, &wait) {
				return did, err
			}
			did = append(did, c.Say)
		}
	}
	t.Fatalf("%s comes to no end; so far: %q", r.ID(), did)
	return nil, nil
}

// powerCut runs a pass in which the power goes, and starts the machine anew.
func (d *disks) powerCut(t *testing.T, program string, r plan.Resource) {
	t.Helper()
	d.cutAt = program
	func() {
		defer func() {
			if _, ok := recover().(cutShort); !ok {
				t.Fatalf("%s was never run", program)
			}
		}()
		_, err := settle(t, d.Host(), r, plan.Destroys)
		t.Fatal(err)
	}()
	d.cutAt = ""
	d.Put(bootIDPath, "boot-2\n", 0o644)
}

// refused wants an error with all these words, no tool run and no file written.
func (d *disks) refused(t *testing.T, r plan.Resource, words ...string) {
	t.Helper()
	d.Forget()
	ran := len(d.ran)
	did, err := settle(t, d.Host(), r, plan.Destroys)
	if err == nil || len(did) > 0 {
		t.Fatalf("did %q, error %v; want a refusal", did, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nwant it to say %q", err, w)
		}
	}
	if len(d.ran) > ran {
		t.Errorf("it ran %q", d.ran[ran:])
	}
	for _, e := range d.Effects() {
		if !strings.HasPrefix(e, "run:") {
			t.Errorf("it did %s", e)
		}
	}
}

// A machine that lies in a folder has no devices: nothing is looked at there.
func TestFileSystemsUnderAnotherRoot(t *testing.T) {
	f := fsOf(onVolume, "xfs")
	for _, r := range []plan.Resource{f, mountOf(onVolume, "xfs"), Swap{From: f}} {
		d := withDisks(t)
		_, err := r.Check(t.Context(), d.Offline())
		if l, ok := r.(plan.Liver); !ok || !l.Live() || !errors.Is(err, host.ErrOffline) || d.Writes() > 0 {
			t.Errorf("%s: %v", r.ID(), err)
		}
		if text := r.(plan.Describer).Describe(); !strings.HasSuffix(text, "\n") || !strings.Contains(text, "volume:vol-1") {
			t.Errorf("%s is described by %q", r.ID(), text)
		}
	}
}
