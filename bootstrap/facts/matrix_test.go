package facts

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/integration/fakeimds"
)

var update = flag.Bool("update", false, "run the fault matrix at full length and write it, with what it measured")

const matrixFile = "../../docs/imds-faults.md"

// row is a fault, and the longest that a crawl can take with it by the
// arithmetic of the tuning alone (answers of a healthy IMDS counting nothing).
type row struct {
	name, say string
	bound     func(tuning) time.Duration
	faulty    bool // what it breaks must be told
	gather    func(*testing.T, tuning, *host.Host) (Facts, time.Duration)
}

// bound is the longest that a question can take whose every attempt takes each.
func (t tuning) bound(each time.Duration) time.Duration {
	return time.Duration(t.attempts)*each + time.Duration(t.attempts-1)*t.backoff
}

func atOnce(tuning) time.Duration     { return 0 }
func allWaits(t tuning) time.Duration { return t.bound(0) }
func waits(n int) func(tuning) time.Duration {
	return func(t tuning) time.Duration { return time.Duration(n) * t.backoff }
}

// slowRequests is more than a crawl of the fake's example asks.
const slowRequests = 48

// slowCrawl is the longest that late answers can take on so many connections:
// all the work shared evenly, and the longest chain (token, id, a folder's
// listing, a value in it).
func slowCrawl(tuning) time.Duration {
	const chain = 4
	return fakeimds.Slow*slowRequests/parallel + fakeimds.Slow*chain
}

var bounds = map[string]func(tuning) time.Duration{
	"none": atOnce, "403": atOnce, "tags-off": atOnce, "redirect": atOnce, "huge-body": atOnce, "wrong-content": atOnce,
	fakeimds.Refused: allWaits, "401-always": allWaits, "429": allWaits, "half-body": allWaits,
	fakeimds.Dropped: func(t tuning) time.Duration { return t.bound(t.dial) },
	"silent":         func(t tuning) time.Duration { return t.bound(t.header) },
	"hop-limit":      func(t tuning) time.Duration { return t.bound(t.header) },
	"stall":          func(t tuning) time.Duration { return t.bound(t.whole) },
	"401-once":       waits(1), "token-expires": waits(1), "503x4": waits(4),
	"slow": slowCrawl,
}

// timed are the faults at which something waits for a time to run out, or nearly so.
var timed = []string{fakeimds.Dropped, "silent", "hop-limit", "stall", "slow", "ipv6-only"}

// patient is a tuning that is short in what this fault waits for alone: the
// others are told by an answer, which a busy computer may be late with.
func (r row) patient(tune tuning) tuning {
	if slices.Contains(timed, r.name) {
		return tune
	}
	patient := defaultTuning
	patient.backoff = tune.backoff
	return patient
}

// rows are the named faults of the fake, and those that need EC2's own
// addresses and so a network namespace.
func rows(t *testing.T) []row {
	t.Helper()
	harmless := []string{"none", "tags-off", "401-once", "503x4", "slow", "token-expires"}
	var all []row
	for _, f := range fakeimds.Named() {
		bound, ok := bounds[f.Name]
		if !ok {
			t.Errorf("fault %s of the fake has no bound here", f.Name)
			continue
		}
		all = append(all, row{name: f.Name, say: f.Say, bound: bound, faulty: !slices.Contains(harmless, f.Name),
			gather: func(t *testing.T, tune tuning, h *host.Host) (Facts, time.Duration) {
				return gatherFrom(t, f, tune, h)
			}})
	}
	firstTry := func(t tuning) time.Duration { return t.dial }
	for _, s := range []row{
		{name: "http-proxy", say: "HTTP_PROXY is set; the proxy sees nothing", bound: atOnce},
		{name: "ipv6-only", say: "only [fd00:ec2::254] answers, the instance has no IPv4", bound: firstTry},
		{name: "no-route", say: "the kernel knows no way to either address", bound: allWaits, faulty: true},
	} {
		s.gather = func(t *testing.T, tune tuning, h *host.Host) (Facts, time.Duration) {
			return gatherInNamespace(t, s.name, tune, h)
		}
		all = append(all, s)
	}
	return all
}

// gatherFrom crawls a fake with a fault, and checks what the bound rests on:
// the number of attempts, and that they ended by themselves.
func gatherFrom(t *testing.T, f fakeimds.Fault, tune tuning, h *host.Host) (Facts, time.Duration) {
	t.Helper()
	if f.Name == "slow" {
		f.Act = fakeimds.Delay(fakeimds.Slow * tune.header / defaultTuning.header)
	}
	r := serveFault(t, fakeimds.Example(), f)
	o := options(r.URL)
	o.tuning = tune
	if !*update { // else the table would show what no boot waits for
		o.Timeout = 10 * DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*DefaultTimeout)
	defer cancel()
	start := time.Now()
	got := Gather(ctx, h, o)
	took := time.Since(start)
	if ctx.Err() != nil {
		t.Errorf("the attempts did not end by themselves: %+v", got.Problems)
	}
	if r.Server == nil {
		return got, took
	}
	n := len(r.Server.Requests())
	// A token for each attempt, when the answers to it are 401.
	if got.Source != FromIMDS && n > 2*tune.attempts {
		t.Errorf("%d requests for %d attempts at one question", n, tune.attempts)
	}
	if f.Name == "slow" && n > slowRequests {
		t.Errorf("%d requests: the bound of a slow crawl reckons with %d", n, slowRequests)
	}
	return got, took
}

// watched is a machine whose every change is an error.
func watched(t *testing.T, root string) *host.Host {
	t.Helper()
	h, err := host.New(host.Options{Root: root, Hook: func(point string) { t.Errorf("a read changed the machine: %s", point) }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// outcome is where the facts come from, and what was told to be wrong.
func outcome(f Facts) string {
	var reasons []string
	for _, p := range f.Problems {
		reasons = append(reasons, string(p.Reason))
	}
	slices.Sort(reasons)
	s := string(f.Source)
	if r := slices.Compact(reasons); len(r) > 0 {
		s += ": " + strings.Join(r, ", ")
	}
	if f.Instance.Tags.IsAbsent() {
		s += ", tags absent"
	}
	return s
}

// run tries one row, without and with a kept crawl, and renders it. The
// measured time is the last column, which nothing compares.
func (r row) run(t *testing.T, tune tuning) string {
	t.Helper()
	bare, took := r.gather(t, tune, watched(t, t.TempDir()))
	kept := keptMachine(t, map[string]string{assetTagPath: exampleID})
	with, _ := r.gather(t, tune, watched(t, kept.Root()))
	if r.faulty {
		if bare.Source != FromNone || with.Source != FromCache || len(bare.Problems) == 0 || len(with.Problems) == 0 {
			t.Errorf("sources %s and %s, problems %+v and %+v", bare.Source, with.Source, bare.Problems, with.Problems)
		}
		if i := bare.Instance; i.Tags.IsAbsent() || i.Region.IsAbsent() || i.SecurityGroups.IsAbsent() || bare.UserData.State.IsAbsent() {
			t.Errorf("a read that failed became absent: %+v", i)
		}
	}
	bound := min(r.bound(defaultTuning), DefaultTimeout)
	limit := bound.String()
	if bound == 0 {
		limit = "at once"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.name, r.say, outcome(bare), outcome(with), limit, rounded(took))
}

func rounded(d time.Duration) string {
	if d < time.Second {
		return "< 1 s"
	}
	return d.Round(time.Second).String()
}

// unmeasured is a line without what was measured.
func unmeasured(line string) string {
	cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
	return strings.Join(cells[:len(cells)-1], "|")
}

const matrixHead = `# What a boot sees when IMDS fails

Written by ` + "`go test ./bootstrap/facts -run TestFaultMatrix -update`" + `, and held by that
test, all but the last column. An outcome is where the facts come from (imds,
cache, none) and the reasons that are told; no file changes in any of them.
The bound is arithmetic: %d attempts of at most %v to connect, %v to an
answer's head and %v to its end, %v at most between attempts, and %v for the
whole crawl. It leaves out the few milliseconds of healthy answers.

| fault | what goes wrong | nothing kept | last good crawl kept | bound | measured |
|---|---|---|---|---|---|
`

func TestFaultMatrix(t *testing.T) {
	tune := quick
	if *update {
		tune = defaultTuning
	}
	golden, err := os.ReadFile(matrixFile)
	if err != nil && !*update {
		t.Fatalf("%v; write it with -update", err)
	}
	all := rows(t)
	lines := make([]string, len(all))
	t.Run("rows", func(t *testing.T) {
		for n, r := range all {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				lines[n] = r.run(t, r.patient(tune))
				if !*update && !slices.ContainsFunc(strings.Split(string(golden), "\n"), func(l string) bool {
					return strings.HasPrefix(l, "| "+r.name+" |") && unmeasured(l) == unmeasured(lines[n])
				}) {
					t.Errorf("another line than in %s (-update writes it):\n%s", matrixFile, lines[n])
				}
			})
		}
	})
	d := defaultTuning
	head := fmt.Sprintf(matrixHead, d.attempts, d.dial, d.header, d.whole, d.backoff, DefaultTimeout)
	if *update {
		if t.Failed() || slices.Contains(lines, "") {
			t.Fatal("not every row has been run: nothing is written")
		}
		if err := os.WriteFile(matrixFile, []byte(head+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !strings.HasPrefix(string(golden), head) {
		t.Errorf("%s begins otherwise than the tuning says; -update writes it", matrixFile)
	} else if got := strings.Count(string(golden), "\n| "); got != len(all)+1 {
		t.Errorf("%s has %d rows, there are %d; -update writes it", matrixFile, got-1, len(all))
	}
}
