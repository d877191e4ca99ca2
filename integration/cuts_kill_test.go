//go:build soak

package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"reveille/integration/disks"
	"reveille/integration/guest"
)

// cutKills is how often the agent is killed at most before it comes to the end.
const cutKills = 5

// killer ends the agent, turn by turn while it makes the disks of a machine that
// has never had any, and while it finds them made, with files on them. The agent
// that systemd starts next is killed as well. It begins on the machine that has
// just made its disks.
func (l *cutLab) killer(made *cutBoot) func(int, *rand.Rand) {
	kept := cutPoint{of: made, at: len(made.rec.Log)}.keptBy()
	writes := map[bool]int{true: made.writes(), false: 20} // of a pass; true: one that makes all
	return func(n int, random *rand.Rand) {
		what := "disks that are made"
		blank := n%2 == 0 || len(kept) == 0
		if blank {
			kept, what = nil, "blank disks"
		}
		l.undo(blank)
		l.disks.Begin()
		killed := l.killAt(random, cutKills, 1+2*writes[blank]/cutKills)
		l.on("systemctl", "start", "--no-block", "reveille")
		seen := l.settled()
		writes[blank] = (&cutBoot{rec: l.disks.Recording()}).writes()
		l.judge(what+l.said(killed), seen, kept)
		if kept = nil; seen.State == "ready" {
			kept = l.keep(fmt.Sprint("kill-", n))
		}
	}
}

// undo takes the storage apart, and with blank all that was ever made of it.
func (l *cutLab) undo(blank bool) {
	l.t.Helper()
	if !blank {
		l.on("undo")
		return
	}
	l.on("undo", "forget")
	for _, v := range cutVolumes {
		l.check(l.disks.Zero(v.ID))
	}
	l.on("udevadm", "trigger", "--settle", "--subsystem-match=block")
}

// writes counts those since the first one to a volume.
func (b *cutBoot) writes() int {
	first := slices.IndexFunc(b.rec.Log, func(w disks.Write) bool { return w.Disk != guest.RootVolume })
	if first < 0 {
		return 0
	}
	return len(b.rec.Log) - first
}

// said is where the agent was killed.
func (l *cutLab) said(killed func() []string) (what string) {
	for _, at := range killed() {
		what += ", killed before " + at
		l.tally["cuts"]++
	}
	return what
}

// killAt kills the agent before a write, from the first one to a volume on, and
// then each next one, most times at most, drawn numbers of writes up to apart
// later; what it answers tells of the writes. Where no agent runs yet, the next
// write does.
func (l *cutLab) killAt(random *rand.Rand, most, apart int) (killed func() []string) {
	var mu sync.Mutex
	var all []string
	first, after := -1, random.IntN(apart)
	var arm func()
	arm = func() {
		var at disks.Write
		l.disks.Trap(func(number int, w disks.Write) bool {
			if at = w; first < 0 && w.Disk != guest.RootVolume {
				first = number
			}
			return first >= 0 && number >= first+after
		}, func() {
			ctx, cancel := context.WithTimeout(l.t.Context(), cutWithin)
			defer cancel()
			r, err := l.machine.Run(ctx, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", "reveille")
			mu.Lock()
			defer mu.Unlock()
			after = l.disks.Length() - first + 1
			if err == nil && r.Code == 0 {
				all = append(all, said(at))
				after += random.IntN(apart)
			}
			if err == nil && len(all) < most {
				arm()
			}
		})
	}
	arm()
	return func() []string {
		l.disks.Trap(func(int, disks.Write) bool { return false }, nil)
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}
