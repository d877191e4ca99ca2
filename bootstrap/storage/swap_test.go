package storage

import (
	"slices"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const noSwaps = "Filename\tType\tSize\tUsed\tPriority\n"

func TestSwap(t *testing.T) {
	for n, died := 1, true; died; n++ {
		d := withDisks(t)
		s := Swap{From: fsOf(onArray, "swap")}
		died = d.Kill(n, func(h *host.Host) { _, _ = settle(t, h, s, plan.Disrupts) })
		if _, err := settle(t, d.Host(), s, plan.Disrupts); err != nil {
			t.Fatalf("killed at %d: %v", n, err)
		}
		isSo(t, d.Host(), s)
		if !slices.Equal(d.ran, []string{"swapon /dev/md127"}) {
			t.Errorf("killed at %d: ran %q", n, d.ran)
		}
		if died {
			continue
		}
		d.Put("/proc/swaps", noSwaps, 0o644)
		d.refused(t, s, "raid:data (on vol-1, vol-2) was in use in this boot", "`swapon /dev/md127` does")
	}
}

// One that others switched on is so, and once confirmed stays off where somebody
// switches it off.
func TestSwapOfOthers(t *testing.T) {
	d := withDisks(t)
	s := Swap{From: fsOf(onVolume, "swap")}
	d.Put("/dev/disk/by-id/vol1", "-> ../../nvme1n1", 0)
	d.Put("/proc/swaps", noSwaps+"/swapfile file 1 0 -2\n/dev/disk/by-id/vol1 partition 1 0 -2\n", 0o644)
	isSo(t, d.Host(), s)
	if err := s.Confirm(d.Host()); err != nil {
		t.Fatal(err)
	}
	d.Put("/proc/swaps", noSwaps, 0o644)
	d.refused(t, s, "somebody switched it off")
}

func TestSwapRefuses(t *testing.T) {
	d := withDisks(t)
	d.Put("/sys/block/nvme1n1/ro", "1\n", 0o644)
	d.refused(t, Swap{From: fsOf(onVolume, "swap")}, "swap on volume vol-1: it may not be written to")
}
