package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"reveille/integration/disks"
	"reveille/integration/guest"
)

// killer ends the agent, turn by turn in a pass that finds blank disks on a
// machine that has never had any, and in one that finds them made, with files on
// them. It begins on the machine that has just made them.
func (l *cutLab) killer(made *cutBoot) func(int, *rand.Rand) {
	kept := cutPoint{of: made, at: len(made.rec.Log)}.keptBy()
	writes := map[bool]int{true: made.writes(), false: 20} // of a pass; true: one that makes all
	return func(n int, random *rand.Rand) {
		blank := n%2 == 0
		what := l.undo(blank || len(kept) == 0)
		if blank || len(kept) == 0 {
			kept = nil
		}
		at := int(random.Float64() * float64(writes[blank]+1))
		killed := l.killAt(at)
		l.on("systemctl", "start", "--no-block", "reveille")
		seen := l.settled()
		writes[blank] = (&cutBoot{rec: l.disks.Recording()}).writes()
		select {
		case w := <-killed:
			what += fmt.Sprintf(", at write %d, before %s", at, said(w))
		default:
			what += fmt.Sprintf(", at write %d, which it did not come to", at)
		}
		l.judge(what, seen, kept)
		if kept = nil; seen.State == "ready" {
			kept = l.keep(fmt.Sprint("kill-", n))
		}
	}
}

// undo takes the storage apart, and with blank all that was ever made of it.
func (l *cutLab) undo(blank bool) (what string) {
	l.t.Helper()
	if !blank {
		l.on("undo")
		return "a pass that finds all made"
	}
	l.on("undo", "forget")
	for _, v := range cutVolumes {
		l.check(l.disks.Zero(v.ID))
	}
	l.on("udevadm", "trigger", "--settle", "--subsystem-match=block")
	return "a pass that makes all"
}

// writes counts those since the first one to a volume.
func (b *cutBoot) writes() int {
	first := slices.IndexFunc(b.rec.Log, func(w disks.Write) bool { return w.Disk != guest.RootVolume })
	if first < 0 {
		return 0
	}
	return len(b.rec.Log) - first
}

// killAt kills the agent before the write that comes so many after the first
// one to a volume, and tells which that was.
func (l *cutLab) killAt(after int) <-chan disks.Write {
	l.disks.Begin()
	first, killed := -1, make(chan disks.Write, 1)
	var at disks.Write
	l.disks.Trap(func(number int, w disks.Write) bool {
		if at = w; first < 0 && w.Disk != guest.RootVolume {
			first = number
		}
		return first >= 0 && number >= first+after
	}, func() {
		ctx, cancel := context.WithTimeout(l.t.Context(), cutWithin)
		defer cancel()
		w := at
		if r, err := l.machine.Run(ctx, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", "reveille"); err == nil && r.Code == 0 {
			killed <- w
		}
	})
	return killed
}
