//go:build soak

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"reveille/integration/disks"
	"reveille/integration/guest"
)

// cutBoot is a boot that was recorded to its end, which points are chosen in.
type cutBoot struct {
	name string
	rec  disks.Recording
	kept []cutKept // by its end, those of boots before it with at -1
	runs [][2]int  // the writes that storage is about: from, up to
}

// cutPoint is one power cut.
type cutPoint struct {
	of   *cutBoot
	at   int // before this write
	loss disks.Loss
}

func (p cutPoint) String() string {
	next := "its end"
	if p.at < len(p.of.rec.Log) {
		next = said(p.of.rec.Log[p.at])
	}
	return fmt.Sprintf("%s, before write %d of %d, %s; the cut loses %v", p.of.name, p.at, len(p.of.rec.Log), next, p.loss)
}

// said is a write in words.
func said(w disks.Write) string {
	switch {
	case w.Flush:
		return "a flush of " + w.Disk
	case w.Data == nil:
		return fmt.Sprintf("%d zeroes at %d of %s", w.Length, w.At, w.Disk)
	}
	return fmt.Sprintf("%d bytes at %d of %s", w.Length, w.At, w.Disk)
}

// cutRuns parts what was written since the first volume was into runs: writes
// to the root, which are notes of the agent's, and to the volumes, which are a
// tool's or a file system's.
func cutRuns(log []disks.Write) (runs [][2]int) {
	onRoot := func(n int) bool { return log[n].Disk == guest.RootVolume }
	from := slices.IndexFunc(log, func(w disks.Write) bool { return w.Disk != guest.RootVolume })
	// The first notes come before the first write to a volume.
	for first := from; from > 0 && log[first].When.Sub(log[from-1].When) < cutLead; {
		from--
	}
	for n := max(from, 0); n < len(log); n++ {
		last := len(runs) - 1
		if last < 0 || onRoot(n) != onRoot(n-1) || log[n].When.Sub(log[n-1].When) > cutPause {
			runs = append(runs, [2]int{n, n + 1})
			continue
		}
		runs[last][1] = n + 1
	}
	return runs
}

// choose draws a point: any run as likely as another, however many writes it
// has, and of those any, the moment after its last one included.
func (b *cutBoot) choose(random *rand.Rand) cutPoint {
	run := b.runs[random.IntN(len(b.runs))]
	return cutPoint{b, run[0] + random.IntN(run[1]-run[0]+1), disks.Loss(random.IntN(3))}
}

// keptBy are the files that were there for good at a point.
func (p cutPoint) keptBy() (kept []cutKept) {
	for _, k := range p.of.kept {
		if k.at <= p.at {
			kept = append(kept, cutKept{k.sum, -1})
		}
	}
	return kept
}
