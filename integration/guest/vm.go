package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// RootVolume is the volume that a virtual machine boots from, attached as
// /dev/xvda: the fake EC2 of a case may have to list it.
const RootVolume = "vol-0f0f0f0f0f0f0f0f0"

// Emulated is what a virtual machine can do beyond a Machine.
type Emulated interface {
	Machine
	// PID is the process that the running machine is, for what counts its CPU
	// time; 0 when it is off.
	PID() int
	// Afflict gives an attached volume a fault, or takes it away: as vm.Afflict.
	Afflict(ctx context.Context, id string, fault Fault) error
	// Retries counts the boots that hung before a command could be run and
	// were begun once more. Each is in the log and the console as well.
	Retries() int
}

// vm is a machine under QEMU. Its root is a copy-on-write layer over the
// image's disk, its volumes are raw files; all are in Spec.Dir.
type vm struct {
	spec      Spec
	log       *slog.Logger
	before    int      // bytes on the console that machines had said before, with this folder
	boots     patience // until the first command can be run
	answers   patience // of a machine in which a command runs
	volumes   []Volume // attached, in the order they came
	seeded    bool     // Spec.Files are laid down
	retries   int
	unplugged bool  // the network's cable is out
	on        *qemu // nil: off
	started   time.Time
}

func newVM(s Spec) (Machine, error) {
	if s.Image.Disk == "" || s.Image.Kernel == "" {
		return nil, errors.New("make a virtual machine: its image has no disk or no kernel; ask it for them with ForVM")
	}
	if s.Dir == "" {
		return nil, errors.New("make a virtual machine: no folder to keep its disks in")
	}
	if s.Hostname == "" {
		s.Hostname = "ip-10-0-0-5"
	}
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	v := &vm{spec: s, log: log, boots: usualPatience, answers: usualPatience, volumes: slices.Clone(s.Disks)}
	v.before = len(v.Console())
	for _, d := range s.Disks {
		if err := v.makeVolume(d); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *vm) Kind() Kind         { return VM }
func (v *vm) Started() time.Time { return v.started }
func (v *vm) Retries() int       { return v.retries }
func (v *vm) PID() int {
	if v.on == nil || v.on.ended() {
		return 0
	}
	return v.on.pid()
}

// Boot also waits for a machine that is going down for a reboot.
func (v *vm) Boot(ctx context.Context) error {
	if v.on != nil {
		if err := v.on.wait(ctx); ctx.Err() != nil {
			return fmt.Errorf("boot: the machine is on and does not go off: %w", err)
		}
		v.on = nil // how that boot ended was told to who ran something in it
	}
	err := v.tryBoot(ctx)
	var hung *Hang
	if !errors.As(err, &hung) || ctx.Err() != nil {
		return err
	}
	// Emulation livelocks now and then in the first seconds of a kernel.
	v.retries++
	v.log.Warn("a machine hung before a command could be run in it, and is booted once more", "retries", v.retries, "hang", hung)
	v.note(fmt.Sprintf("guest: this boot hung and is begun once more (retry %d): %v", v.retries, hung))
	if err := v.tryBoot(ctx); err != nil {
		return fmt.Errorf("boot, the second time: %w", err)
	}
	return nil
}

func (v *vm) tryBoot(ctx context.Context) error {
	seed, err := v.prepareRoot(ctx)
	if err != nil {
		return err
	}
	v.started = time.Now()
	q, err := v.powerOn(ctx, seed)
	if err != nil {
		return err
	}
	if err := v.awaitCommands(ctx, q); err != nil {
		return errors.Join(err, q.end())
	}
	v.on, v.seeded = q, true
	go v.watch(q)
	return nil
}

func (v *vm) Run(ctx context.Context, argv ...string) (Result, error) {
	return v.runWith(ctx, nil, argv...)
}

func (v *vm) runWith(ctx context.Context, stdin []byte, argv ...string) (Result, error) {
	q := v.on
	if q == nil {
		return Result{}, fmt.Errorf("run %q: %w", argv, errOff)
	}
	r, err := q.commands.run(ctx, stdin, argv...)
	if err != nil {
		return r, fmt.Errorf("run %q in the machine: %w", argv, q.because(err))
	}
	return r, nil
}

func (v *vm) Put(ctx context.Context, f File) error {
	argv := []string{"install", "-D", "-m", fmt.Sprintf("%04o", f.mode().Perm()), "/dev/stdin", f.Path}
	if f.Link != "" {
		argv = []string{"sh", "-c", `mkdir -p "$1" && ln -sfn "$2" "$3"`, "sh", path.Dir(f.Path), f.Link, f.Path}
	}
	r, err := v.runWith(ctx, f.Data, argv...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit code %d: %s", r.Code, strings.TrimSpace(string(r.Stderr)))
	}
	if err != nil {
		return fmt.Errorf("put %s into the machine: %w", f.Path, err)
	}
	return nil
}

func (v *vm) PowerOff(ctx context.Context) error {
	if v.on == nil {
		return nil
	}
	_, err := v.Run(ctx, "systemctl", "poweroff", "--no-block")
	if err == nil || v.on.ended() {
		err = v.on.wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("power off: %w; end of its console:\n%s", err, tail(v.Console(), consoleTail))
	}
	v.on = nil
	return nil
}

// Cut ends QEMU itself, which keeps all that the guest has written and nothing
// that the guest still held back.
func (v *vm) Cut() error {
	if v.on == nil {
		return nil
	}
	q := v.on
	v.on = nil
	return q.end()
}

func (v *vm) Close() error { return v.Cut() }

func (v *vm) Console() []byte {
	said, err := os.ReadFile(v.path("console.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Appendf(nil, "guest: cannot read the console: %v", err)
	}
	return said[min(v.before, len(said)):]
}

// note adds a line of the harness's own to the console.
func (v *vm) note(line string) {
	f, err := os.OpenFile(v.path("console.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		v.log.Warn("cannot write to the console's file", "error", err)
		return
	}
	defer f.Close()
	if _, err := io.WriteString(f, "\n"+line+"\n"); err != nil {
		v.log.Warn("cannot write to the console's file", "error", err)
	}
}

func (v *vm) path(name string) string { return filepath.Join(v.spec.Dir, name) }
