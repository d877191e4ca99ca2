package guest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// accelerator is how QEMU runs the guest's instructions.
type accelerator struct{ accel, cpu string }

// Emulation is the rule. Nehalem has what Debian is built for and no wide
// vectors, which cost much to emulate.
var (
	emulated = accelerator{"tcg,thread=multi,tb-size=512", "Nehalem,+rdrand"}
	hardware = accelerator{"kvm", "host"}
)

// probeFor is how long a kernel may take to find that it has no root and
// start again: half a second where hardware runs it.
const probeFor = 8 * time.Second

// chooseAccelerator takes the hardware's only where it has been seen to work:
// where machines run in machines, /dev/kvm may open and a guest never end. The
// answer is kept for as long as this computer runs.
func chooseAccelerator(ctx context.Context, log *slog.Logger, kernel string) (accelerator, error) {
	dir, err := cacheFolder()
	if err != nil {
		return accelerator{}, err
	}
	unlock, err := lock(filepath.Join(dir, "kvm.lock"))
	if err != nil {
		return accelerator{}, fmt.Errorf("wait for another probe of the hardware: %w", err)
	}
	defer unlock()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return accelerator{}, fmt.Errorf("read which boot of this computer it is: %w", err)
	}
	kept := filepath.Join(dir, "kvm")
	if said, err := os.ReadFile(kept); err == nil {
		if answer, ok := strings.CutPrefix(string(said), string(boot)); ok {
			return fromAnswer(log, answer), nil
		}
	}
	answer, err := probeHardware(ctx, kernel)
	if err != nil {
		return accelerator{}, err
	}
	if err := os.WriteFile(kept, append(boot, answer...), 0o644); err != nil {
		return accelerator{}, fmt.Errorf("keep what the probe of the hardware found: %w", err)
	}
	return fromAnswer(log, answer), nil
}

const works = "a kernel runs"

func fromAnswer(log *slog.Logger, answer string) accelerator {
	if answer == works {
		log.Info("virtual machines run on the hardware", "probe", answer)
		return hardware
	}
	log.Info("virtual machines are emulated", "probe", answer)
	return emulated
}

// probeHardware boots a kernel without a root: it must get as far as to miss
// it, and start again, which ends QEMU. It answers works, or why it does not.
func probeHardware(ctx context.Context, kernel string) (string, error) {
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err != nil {
		return err.Error(), nil
	} else if err := f.Close(); err != nil {
		return err.Error(), nil
	}
	short, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	cmd := exec.CommandContext(short, "qemu-system-x86_64", "-machine", "q35", "-accel", hardware.accel, "-cpu", hardware.cpu,
		"-m", "256", "-nodefaults", "-display", "none", "-no-reboot", "-kernel", kernel, "-append", "panic=-1")
	said, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("probe the hardware: %w", ctx.Err())
	case short.Err() != nil:
		return fmt.Sprintf("/dev/kvm opens, and a kernel had not come to its end after %v", probeFor), nil
	case err != nil:
		return fmt.Sprintf("%v: %.300s", err, said), nil
	}
	return works, nil
}
