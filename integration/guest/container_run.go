package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// offWithin bounds an orderly power-off; systemd's own patience with a service
// that does not stop is 90 s.
const offWithin = 120 * time.Second

// Run enters the container beside its own processes.
func (c *container) Run(ctx context.Context, argv ...string) (Result, error) {
	if !c.running() {
		return Result{}, fmt.Errorf("run %s in a container: it is off", argv[0])
	}
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(c.init), "-a", "--"}, argv...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	var out, say bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &say
	cmd.WaitDelay = time.Second // a child that it left may hold the pipes for ever
	err := cmd.Run()
	r := Result{Stdout: out.Bytes(), Stderr: say.Bytes(), Code: cmd.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		return r, fmt.Errorf("run %s in a container: %w", strings.Join(argv, " "), ctx.Err())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return r, fmt.Errorf("run %s in a container: %w", argv[0], err)
	}
	return r, nil
}

// Put writes through the machine's own overlay, which is mounted here as well.
func (c *container) Put(_ context.Context, f File) error {
	if c.root == "" {
		return fmt.Errorf("put %s into a container: it is off", f.Path)
	}
	return put(c.root, f)
}

// PowerOff asks systemd, by the signal that stands for systemctl poweroff.
func (c *container) PowerOff(ctx context.Context) error {
	if !c.running() {
		return nil
	}
	const rtmin = 34 // glibc's first real-time signal; systemd(1) counts from it
	if err := syscall.Kill(c.init, syscall.Signal(rtmin+4)); err != nil {
		return fmt.Errorf("power a container off: %w", err)
	}
	select {
	case <-c.ended:
		return c.forget()
	case <-time.After(offWithin):
		err := fmt.Errorf("power a container off: it still runs after %s\n%s", offWithin, tail(c.Console(), 4000))
		return errors.Join(err, c.Cut())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wait returns when the machine has ended by itself, by a reboot or power-off
// from inside.
func (c *container) Wait(ctx context.Context) error {
	select {
	case <-c.ended:
		return c.forget()
	case <-ctx.Done():
		return fmt.Errorf("wait for a container to end: %w", ctx.Err())
	}
}

// Cut kills it; its processes get no signal that they could see.
func (c *container) Cut() error {
	if c.nspawn != nil {
		if c.init != 0 {
			_ = syscall.Kill(c.init, syscall.SIGKILL)
		}
		_ = c.nspawn.Process.Kill()
		<-c.ended
	}
	return c.forget()
}

// forget lets go of what a boot needs, when it has ended.
func (c *container) forget() error {
	err := removeGroups(c.groups)
	if c.release != nil {
		err = errors.Join(err, c.release())
	}
	c.mu.Lock()
	c.nspawn, c.init, c.release, c.root, c.groups = nil, 0, nil, "", nil
	c.mu.Unlock()
	return err
}

func (c *container) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nspawn == nil {
		return false
	}
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// Attach says that a container has no disks.
func (c *container) Attach(context.Context, Volume) error {
	return errors.New("attach a disk: a container has none; let the case run on a virtual machine (# on: vm)")
}

// Detach says that a container has no disks.
func (c *container) Detach(context.Context, string) error {
	return errors.New("detach a disk: a container has none; let the case run on a virtual machine (# on: vm)")
}

// Grow says that a container has no disks.
func (c *container) Grow(context.Context, string, int64) error {
	return errors.New("grow a disk: a container has none; let the case run on a virtual machine (# on: vm)")
}

// Close ends it.
func (c *container) Close() error { return c.Cut() }
