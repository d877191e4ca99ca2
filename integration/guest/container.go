package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A container boots the image's systemd by systemd-nspawn, natively: own
// network, names and processes, this computer's kernel.
type container struct {
	spec    Spec
	console syncBuffer
	started time.Time

	root    string // its files, while it runs
	release func() error
	groups  []string // its control groups

	mu     sync.Mutex
	nspawn *exec.Cmd
	ended  <-chan struct{} // closed when nspawn has
	init   int             // process id of its systemd, as seen from here
}

// bootWithin bounds the way to the first process, which takes 50 ms.
const bootWithin = 30 * time.Second

// upPipe is where image/init writes when it is about to become systemd.
const upPipe = "usr/lib/guest/up"

// containerWords are kernel words of every container. Its journal goes to the
// console as well, so that it is there when the machine is not.
var containerWords = []string{"systemd.show_status=0", "systemd.journald.forward_to_console=1"}

func newContainer(s Spec) (Machine, error) {
	if len(s.Disks) > 0 {
		return nil, errors.New("make a container: it can have no disks; let the case run on a virtual machine (# on: vm)")
	}
	return &container{spec: s}, nil
}

func (c *container) Kind() Kind         { return Container }
func (c *container) Started() time.Time { return c.started }
func (c *container) Console() []byte    { return c.console.Bytes() }

// Boot mounts the files, puts what the case asked for on them and starts nspawn.
func (c *container) Boot(ctx context.Context) error {
	if c.running() {
		return errors.New("boot a container: it runs already")
	}
	root, release, err := mountOver(c.spec.Image.Layers, filepath.Join(c.spec.Dir, "files"), c.spec.Dir)
	if err != nil {
		return err
	}
	c.root, c.release = root, release
	if err := c.start(ctx); err != nil {
		return errors.Join(fmt.Errorf("boot a container: %w\n%s", err, tail(c.Console(), 4000)), c.Cut())
	}
	return nil
}

func (c *container) start(ctx context.Context) error {
	for _, f := range c.files() {
		if err := put(c.root, f); err != nil {
			return err
		}
	}
	c.spec.Files = nil // they were there before the first boot; later ones are the machine's own
	namespace, err := c.spec.Fabric.plug()
	if err != nil {
		return err
	}
	if c.groups, err = makeGroups(c.spec.Fabric.name); err != nil {
		return err
	}
	// No machined and no scope of its own: neither need be there on this computer.
	// nspawn enters the network itself first: /sys is made of the one it is in.
	args := []string{"--net=" + namespace, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", c.root, "--network-namespace-path=" + namespace,
		"--capability=CAP_NET_ADMIN", "--system-call-filter=fanotify_init fanotify_mark", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--hostname=" + c.hostname(), "--console=read-only", "/usr/lib/guest/init"}
	args = slices.Concat([]string{"-c", enterGroups, "sh"}, c.groups, []string{"--", "nsenter"}, args, containerWords, c.spec.Kernel)
	cmd := exec.Command("sh", args...)
	cmd.Stdout, cmd.Stderr = &c.console, &c.console
	cmd.WaitDelay = 5 * time.Second
	up, err := c.listen()
	if err != nil {
		return err
	}
	defer up.Close()
	c.started = time.Now()
	ended, err := startTied(cmd)
	if err != nil {
		return fmt.Errorf("start systemd-nspawn (Debian's systemd-container): %w", err)
	}
	c.mu.Lock()
	c.nspawn, c.ended, c.init = cmd, ended, 0
	c.mu.Unlock()
	if err := c.awaitUp(ctx, up); err != nil {
		return err
	}
	c.init = firstProcess(cmd.Process.Pid)
	if c.init == 0 {
		return errors.New("its first process is not to be found")
	}
	return nil
}

// listen makes the pipe that image/init writes to and opens its reading end.
func (c *container) listen() (*os.File, error) {
	path := filepath.Join(c.root, upPipe)
	if err := os.RemoveAll(path); err != nil { // of a boot that did not come so far
		return nil, err
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	// For writing as well: else it reads as at its end until somebody writes.
	return os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
}

// awaitUp waits for the word of image/init.
func (c *container) awaitUp(ctx context.Context, pipe *os.File) error {
	up := make(chan struct{})
	go func() {
		defer close(up)
		_, _ = pipe.Read(make([]byte, 1)) // ends with the pipe at the latest
	}()
	select {
	case <-up:
		return nil
	case <-c.ended:
		return fmt.Errorf("it ended at once: %s", c.nspawn.ProcessState)
	case <-time.After(bootWithin):
		return fmt.Errorf("it does not start systemd within %s", bootWithin)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *container) hostname() string {
	if c.spec.Hostname == "" {
		return "ip-10-0-0-5"
	}
	return c.spec.Hostname
}

// files are those of the case and what image/init lays over the kernel's.
func (c *container) files() []File {
	words := strings.Join(append([]string{"BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1 ro"}, c.spec.Kernel...), " ") + "\n"
	own := []File{{Path: "/usr/lib/guest/cmdline", Data: []byte(words)}}
	if c.spec.Files != nil || c.spec.Hostname != "" {
		own = append(own, File{Path: "/etc/hostname", Data: []byte(c.hostname() + "\n")})
	}
	if c.spec.DMI != "" {
		dmi := "/usr/lib/guest/class/dmi/id/"
		own = append(own, File{Path: dmi + "board_asset_tag", Data: []byte(c.spec.DMI + "\n")},
			File{Path: dmi + "sys_vendor", Data: []byte("Amazon EC2\n")}, File{Path: dmi + "product_uuid", Data: []byte("ec2e1916-9099-7caf-fd21-012345abcdef\n"), Mode: 0o400})
	}
	return append(own, c.spec.Files...)
}

// firstProcess is the child of nspawn that is process 1 in a space of its own.
func firstProcess(nspawn int) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn))
	for _, pid := range strings.Fields(string(children)) {
		status, _ := os.ReadFile("/proc/" + pid + "/status")
		_, ids, _ := strings.Cut(string(status), "NSpid:")
		ids, _, _ = strings.Cut(ids, "\n")
		var outer, inner int
		if n, _ := fmt.Sscan(ids, &outer, &inner); n == 2 && inner == 1 {
			return outer
		}
	}
	return 0
}
