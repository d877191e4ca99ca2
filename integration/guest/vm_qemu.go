package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// qemu is one running QEMU: one boot of a machine.
type qemu struct {
	cmd      *exec.Cmd
	monitor  *monitor
	commands *commands
	gone     chan struct{}      // closed when the process has ended
	result   error              // how it ended; read after gone
	ports    map[string]int     // by the id of the volume in it
	faulty   map[string][]Fault // by volume, what stands ready between its disk and its file
	hangs    bool               // hangGroup is there

	mu   sync.Mutex
	hang *Hang // why the watchdog ended it
}

// powerOn starts QEMU with the guest standing still, makes its disks EBS
// volumes, and lets it go.
func (v *vm) powerOn(ctx context.Context, seed string) (*qemu, error) {
	accel, err := chooseAccelerator(ctx, v.log, v.spec.Image.Kernel)
	if err != nil {
		return nil, err
	}
	var tap, namespace string
	if v.spec.Fabric != nil {
		if tap, namespace, err = v.spec.Fabric.Tap(); err != nil {
			return nil, fmt.Errorf("plug the machine into its network: %w", err)
		}
	}
	q, err := startQEMU(ctx, namespace, v.arguments(accel, tap, seed))
	if err != nil {
		return nil, err
	}
	err = makeEBS(q.pid(), []Volume{{ID: RootVolume, Attachment: "/dev/xvda"}})
	for _, d := range v.volumes {
		if err == nil {
			err = v.plug(ctx, q, d)
		}
	}
	if err == nil && v.spec.Fabric != nil {
		err = v.plugNetwork(ctx, q)
	}
	if err == nil {
		err = q.monitor.do(ctx, "cont", nil, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("power on: %w", errors.Join(err, q.end()))
	}
	return q, nil
}

// plugNetwork makes the fabric's Cut and Join the guest's carrier, which a tap
// device does not pass on. A cable that was out stays out.
func (v *vm) plugNetwork(ctx context.Context, q *qemu) error {
	link := func(ctx context.Context, up bool) error {
		return q.monitor.do(ctx, "set_link", map[string]any{"name": "net", "up": up}, nil)
	}
	v.spec.Fabric.setLink = func(up bool) error {
		ctx, cancel := context.WithTimeout(context.Background(), quitWithin)
		defer cancel()
		v.unplugged = !up
		if q.ended() {
			return nil // as the next boot finds it
		}
		return link(ctx, up)
	}
	return link(ctx, !v.unplugged)
}

// startQEMU starts one in a network namespace, "" for this one.
func startQEMU(ctx context.Context, namespace string, args []string) (*qemu, error) {
	argv := append([]string{"qemu-system-x86_64"}, args...)
	if namespace != "" {
		argv = append([]string{"nsenter", "--net=" + namespace, "--"}, argv...)
	}
	q := &qemu{cmd: exec.Command(argv[0], argv[1:]...), gone: make(chan struct{}), ports: map[string]int{}}
	var said bytes.Buffer
	q.cmd.Stdout, q.cmd.Stderr = &said, &said
	mine, err := q.pair(2)
	if err != nil {
		return nil, err
	}
	if err := q.start(&said); err != nil {
		mine[0].Close()
		mine[1].Close()
		return nil, fmt.Errorf("start QEMU: %w; its package is qemu-system-x86", err)
	}
	q.commands = newCommands(mine[1])
	if q.monitor, err = newMonitor(ctx, mine[0]); err != nil {
		err = errors.Join(err, q.end())
		return nil, fmt.Errorf("start QEMU: %w", errors.Join(err, q.result))
	}
	return q, nil
}

// pair makes connections of which QEMU inherits the other ends: no path that
// is too long for a socket, and nothing to wait for.
func (q *qemu) pair(n int) ([]net.Conn, error) {
	mine := make([]net.Conn, n)
	for i := range mine {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("make a connection to QEMU: %w", err)
		}
		q.cmd.ExtraFiles = append(q.cmd.ExtraFiles, os.NewFile(uintptr(fds[1]), "qemu"))
		f := os.NewFile(uintptr(fds[0]), "guest")
		if mine[i], err = net.FileConn(f); err != nil {
			return nil, fmt.Errorf("make a connection to QEMU: %w", err)
		}
		f.Close()
	}
	return mine, nil
}

// start keeps a thread for QEMU's life: the kernel ends QEMU when the thread
// that started it ends, so that a test that dies leaves no machine behind.
func (q *qemu) start(said *bytes.Buffer) error {
	q.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := q.cmd.Start()
		for _, f := range q.cmd.ExtraFiles {
			f.Close()
		}
		started <- err
		if err != nil {
			return
		}
		if q.result = q.cmd.Wait(); q.result != nil {
			q.result = fmt.Errorf("QEMU: %w: %s", q.result, bytes.TrimSpace(said.Bytes()))
		}
		close(q.gone)
	}()
	return <-started
}

func (q *qemu) pid() int { return q.cmd.Process.Pid }

func (q *qemu) ended() bool {
	select {
	case <-q.gone:
		return true
	default:
		return false
	}
}

// wait waits until the machine has gone off by itself.
func (q *qemu) wait(ctx context.Context) error {
	select {
	case <-q.gone:
		q.close()
		return q.because(q.result)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quitWithin is how long QEMU has to write its files and end. An end by
// force may lose what it holds of the root disk's index.
const quitWithin = 30 * time.Second

// end ends QEMU now, by its own means where those work.
func (q *qemu) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), quitWithin)
	defer cancel()
	defer q.close()
	if q.ended() {
		return nil
	}
	if q.monitor != nil {
		if err := q.monitor.quit(ctx); err == nil && q.wait(ctx) == nil {
			return nil
		}
	}
	if q.ended() {
		return nil
	}
	err := q.cmd.Process.Kill()
	<-q.gone
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return errors.Join(err, errors.New("QEMU did not end by itself and was killed: the machine's root may be damaged"))
}

func (q *qemu) close() {
	if q.monitor != nil {
		_ = q.monitor.conn.Close()
	}
	_ = q.commands.conn.Close()
}

// because is the watchdog's reason where it has ended the machine.
func (q *qemu) because(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hang != nil {
		return q.hang
	}
	return err
}
