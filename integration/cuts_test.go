//go:build soak

package integration_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"reveille/integration/disks"
)

// cutPause between two writes parts what was done before from what was after,
// and cutLead before a volume is first written to is for what goes before that.
const (
	cutPause = 200 * time.Millisecond
	cutLead  = 5 * time.Second
)

// TestCuts ends storage's work between any two of its steps, and looks at what
// comes of it: converged, or refused with a reason, and every byte there that
// was told to be. REVEILLE_CUTS says how many cuts there are of each kind at most,
// where a handful is not enough, and REVEILLE_SEED which. Each draws from the seed
// and its own number, so that one can be run alone: `-run TestCuts/power/17$`. The
// moments are a recorded boot's, so that a seed draws like moments of a like boot.
//
// power: the disks that a power cut at some write would have left, be it to the
// root or to a volume, are booted. What nobody flushed is there, gone, or there
// in part. kill: the agent dies by SIGKILL right before a write, which waits
// for that, and so does the one that systemd starts next, five times at most
// before the pass is looked at.
func TestCuts(t *testing.T) {
	cuts, seed := cutSettings(t)
	l := newCutLab(t)
	if cuts == 0 {
		l.few(rand.New(rand.NewPCG(seed, 0)))
		return
	}
	made := l.record("the boot that makes all", nil)
	// The machine stays on after it, which spares the kills a boot.
	l.each(t, "kill", (cuts+cutKills-1)/cutKills, seed, l.killer(made))
	l.each(t, "power", cuts, seed, l.cutter(made))
}

// few is the shortest look at it: the very boot in which the agent is killed is
// then cut.
func (l *cutLab) few(random *rand.Rand) {
	l.boot()
	killed := l.killAt(random, 3, 400)
	seen := l.settled()
	l.judge("blank disks"+l.said(killed), seen, nil)
	if seen.State == "ready" {
		l.cutter(l.recorded("the boot that makes all", nil))(0, random)
	}
}

// each runs the passes of a kind, and says what came of them.
func (l *cutLab) each(t *testing.T, kind string, passes int, seed uint64, one func(n int, random *rand.Rand)) {
	t.Run(kind, func(t *testing.T) {
		tally, began := map[string]int{}, time.Now()
		for n := range passes {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				l.t, l.tally = t, tally
				one(n, rand.New(rand.NewPCG(seed, uint64(n))))
			})
			t.Logf("| %s | %d | %d | %d | %d s | seed %d |", kind, tally["cuts"], tally["converged"], tally["refused"], int(time.Since(began).Seconds()), seed)
		}
	})
	l.t = t
}

// cutter cuts the power, of every five times twice in the boot that comes after
// a cut at the end of the first: it finds its disks as a machine leaves them that
// was never shut down, with files on them.
func (l *cutLab) cutter(made *cutBoot) func(int, *rand.Rand) {
	var found *cutBoot
	return func(n int, random *rand.Rand) {
		l.check(l.machine.Cut())
		of := made
		if n%5 == 1 || n%5 == 3 {
			if found == nil {
				found = l.after(made)
			}
			of = found
		}
		p := of.choose(random)
		state, lost, err := of.rec.Cut(p.at, p.loss, random)
		l.check(err)
		l.disks.Load(state)
		l.boot()
		l.tally["cuts"]++
		kept := p.keptBy()
		if !l.judge(fmt.Sprintf("%s (%d bytes), %d files kept", p, lost, len(kept)), l.settled(), kept) {
			l.save(fmt.Sprintf("power-%d", n), state)
		}
	}
}

// after records the boot after a cut at a boot's end that loses what it can.
func (l *cutLab) after(b *cutBoot) *cutBoot {
	l.t.Helper()
	state, _, err := b.rec.Cut(len(b.rec.Log), disks.LosesAll, nil)
	l.check(err)
	l.disks.Load(state)
	found := l.record("the boot that finds all", cutPoint{of: b, at: len(b.rec.Log)}.keptBy())
	l.check(l.machine.Cut())
	return found
}

// judge counts what came of a cut, and says where that must not be.
func (l *cutLab) judge(cut string, seen cutSeen, kept []cutKept) bool {
	l.t.Helper()
	verdict, reasons := "converged", ""
	if seen.State != "ready" {
		verdict, reasons = "refused", ": "+seen.reasons()
	}
	l.tally[verdict]++
	l.t.Logf("%s: %s%s", cut, verdict, reasons)
	wrong := seen.amiss(kept)
	if wrong != "" {
		l.t.Errorf("%s: %s\nit did %q\n%s", cut, wrong, seen.Done, l.on("journalctl", "-b", "-o", "cat", "-n", "200", "-u", "reveille", "-u", "reveille-storage-*"))
	}
	return wrong == ""
}

// record boots the machine as its disks are and writes files to them.
func (l *cutLab) record(name string, kept []cutKept) *cutBoot {
	l.t.Helper()
	l.boot()
	if seen := l.settled(); seen.State != "ready" {
		l.t.Fatalf("%s: it is %s: %s", name, seen.State, seen.reasons())
	}
	return l.recorded(name, kept)
}

// recorded takes down a boot that has come to its end, with more files written
// to its disks. The machine stays on.
func (l *cutLab) recorded(name string, kept []cutKept) *cutBoot {
	l.t.Helper()
	b := &cutBoot{name: name, kept: kept}
	for n := range 2 {
		b.kept = append(b.kept, l.keep(fmt.Sprint(len(kept), n))...)
	}
	l.on("sh", "-c", "mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; echo 0 >/sys/kernel/tracing/tracing_on")
	names := map[string]string{}
	for line := range strings.Lines(l.on("lsblk", "--nodeps", "-rno", "MAJ:MIN,SERIAL")) {
		if f := strings.Fields(line); len(f) == 2 {
			names[strings.Replace(f[0], ":", ",", 1)] = strings.Replace(f[1], "vol", "vol-", 1)
		}
	}
	trace := l.on("cat", "/sys/kernel/tracing/trace")
	b.rec = l.disks.Recording()
	marked, unknown := b.rec.Lasting(trace, names)
	b.runs = cutRuns(b.rec.Log)
	l.t.Logf("%s: %d writes in %d runs, %d of them with FUA, %d unknown", name, len(b.rec.Log), len(b.runs), marked, unknown)
	if marked == 0 || unknown > len(b.rec.Log)/4 {
		l.t.Fatalf("%s: the machine's trace does not tell which of its writes have to last", name)
	}
	return b
}

// save leaves the disks of a cut that went wrong in the folder that
// REVEILLE_CUTS_KEEP names.
func (l *cutLab) save(cut string, state disks.State) {
	l.t.Helper()
	dir := os.Getenv("REVEILLE_CUTS_KEEP")
	if dir == "" {
		return
	}
	for _, name := range state.Names() {
		l.check(state.Save(name, filepath.Join(dir, cut+"-"+name)))
	}
}

func cutSettings(t *testing.T) (cuts int, seed uint64) {
	t.Helper()
	cuts, seed = 0, uint64(time.Now().UnixNano())
	var err, err2 error
	if s := os.Getenv("REVEILLE_CUTS"); s != "" {
		cuts, err = strconv.Atoi(s)
	}
	if s := os.Getenv("REVEILLE_SEED"); s != "" {
		seed, err2 = strconv.ParseUint(s, 10, 64)
	}
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	t.Logf("REVEILLE_SEED=%d", seed)
	return cuts, seed
}
