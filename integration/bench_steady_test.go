package integration_test

import (
	"strconv"
	"strings"
	"testing"

	"reveille/integration/guest"
)

// BenchmarkSteady is the daemon in the minute after its role is taken on: what
// memory it has, and how often its threads go to sleep and are woken. Its timer
// looks in long steps, so that this is the watchdog's and the runtime's own.
func BenchmarkSteady(b *testing.B) {
	lab := newBenchLab(b, guest.Container)
	g := lab.boot("agent", benchNames)
	defer g.close()
	g.quiet()
	g.on("reveille", "wait", "--timeout", "1m")
	for range b.N {
		before := g.switches()
		g.on("sleep", "60") // what is measured is a minute
		woken := g.switches() - before
		row(b, "minute", "wakeups", woken, "RSS-MiB", g.daemonKiB("VmRSS")/1024, "peak-MiB", g.daemonKiB("VmHWM")/1024)
	}
}

// switches is how often the daemon's threads have gone to sleep by themselves.
func (g *benchGuest) switches() (n float64) {
	g.b.Helper()
	out := g.on("sh", "-c", "grep -h ^voluntary /proc/$(systemctl show -P MainPID reveille)/task/*/status")
	for line := range strings.Lines(out) {
		_, count, _ := strings.Cut(strings.TrimSpace(line), "\t")
		v, err := strconv.ParseFloat(count, 64)
		g.check(err)
		n += v
	}
	return n
}

// daemonKiB is a line of the daemon's /proc/…/status.
func (g *benchGuest) daemonKiB(key string) float64 {
	g.b.Helper()
	out := strings.Fields(g.on("sh", "-c", "grep ^"+key+": /proc/$(systemctl show -P MainPID reveille)/status"))
	v, err := strconv.ParseFloat(out[1], 64)
	g.check(err)
	return v
}
