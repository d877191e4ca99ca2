package facts

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
)

const ec2MatrixFile = "../../docs/ec2-faults.md"

// ec2Row is a fault of EC2's API: how many requests it costs, and the longest
// that they take by the arithmetic of the tuning.
type ec2Row struct {
	name, say string
	requests  int // -1 where they do not arrive
	each      func(tuning) time.Duration
	want      Reason // "": the volumes are known
	open      func(t *testing.T, o *Options) *fakeec2.Server
}

func noTime(tuning) time.Duration { return 0 }

// ec2Faults are those of the fake: what they cost, and what comes of them.
var ec2Faults = map[string]struct {
	requests int
	want     Reason
	each     func(tuning) time.Duration
}{
	"":             {1, "", noTime},
	"throttled":    {4, Throttled, noTime},
	"throttled-x2": {3, "", noTime},
	"unauthorized": {1, Forbidden, noTime},
	"auth-failure": {1, Forbidden, noTime},
	"talks":        {1, Forbidden, noTime},
	"expired":      {1, Unauthorized, noTime},
	"unavailable":  {4, ServerError, noTime},
	"internal-x2":  {3, "", noTime},
	"silent":       {4, TimedOut, func(t tuning) time.Duration { return t.whole }},
	"broken":       {4, HalfBody, noTime},
	"hangs-up":     {4, HalfBody, noTime},
	"garbage":      {1, Malformed, noTime},
	"torn":         {1, Malformed, noTime},
	"endless":      {maxPages, Malformed, noTime},
	"huge":         {1, TooLarge, noTime},
	"redirect":     {1, Malformed, noTime},
}

func ec2Rows(t *testing.T) []ec2Row {
	t.Helper()
	var all []ec2Row
	for fault, say := range fakeec2.Faults {
		c, ok := ec2Faults[fault]
		if !ok {
			t.Errorf("fault %q of the fake is not here", fault)
			continue
		}
		name := fault
		if name == "" {
			name = "none"
		}
		all = append(all, ec2Row{name, say, c.requests, c.each, c.want, func(t *testing.T, o *Options) *fakeec2.Server {
			s, at := serveEC2(t, clock)
			if err := s.Fail(fault); err != nil {
				t.Fatal(err)
			}
			o.Getenv = func(string) string { return at }
			return s
		}})
	}
	dead := func(name string) func(*testing.T, *Options) *fakeec2.Server {
		return func(t *testing.T, o *Options) *fakeec2.Server {
			at := serve(t, fakeimds.Example(), name).URL
			o.Getenv = func(string) string { return at }
			return nil
		}
	}
	all = append(all,
		ec2Row{"clock-slow", "the machine's clock is two hours slow", 2, noTime, "", func(t *testing.T, o *Options) *fakeec2.Server {
			s, at := serveEC2(t, func() time.Time { return noon.Add(2 * time.Hour) })
			o.Getenv = func(string) string { return at }
			return s
		}},
		ec2Row{fakeimds.Refused, "nobody listens: connections are refused", -1, noTime, Refused, dead(fakeimds.Refused)},
		ec2Row{fakeimds.Dropped, "packets to it are dropped: connections never come about", -1, func(t tuning) time.Duration { return t.dial }, TimedOut, dead(fakeimds.Dropped)},
		ec2Row{"no-name", "neither the machine's name servers nor the VPC's answer", -1, func(t tuning) time.Duration { return 2 * t.dial }, NoName, func(t *testing.T, o *Options) *fakeec2.Server {
			at, _ := nameServer(t, 0, "silence")
			o.api.names = names{machine: resolver(at), vpc: resolver(at), within: o.api.tuning.dial}
			o.Getenv = func(string) string { return "" }
			return nil
		}},
	)
	slices.SortFunc(all, func(a, b ec2Row) int {
		if (a.want == "") != (b.want == "") {
			return len(a.want) - len(b.want) // what is borne comes first
		}
		return strings.Compare(a.name, b.name)
	})
	return all
}

// bound is the longest that a row takes.
func (r ec2Row) bound() time.Duration {
	d := ec2Defaults()
	attempts, pages := r.requests, r.name == "endless"
	if attempts < 0 {
		attempts = d.tuning.attempts
	}
	if pages {
		return 0
	}
	return min(time.Duration(attempts)*r.each(d.tuning)+time.Duration(attempts-1)*d.tuning.backoff, d.within)
}

// gather asks a faulty EC2, for a machine that has kept an answer or has not.
func (r ec2Row) gather(t *testing.T, h *host.Host) (Facts, time.Duration) {
	t.Helper()
	o := volumeOptions(serve(t, fakeimds.Example(), "none").URL, "")
	if o.api.tuning = ec2Defaults().tuning; !*update {
		o.api.tuning.backoff /= quicker
		if r.each(o.api.tuning) > 0 { // else it is told by an answer, which may be late here
			o.api.tuning.dial /= quicker
			o.api.tuning.whole /= quicker
		}
		o.api.within, o.api.kept = DefaultTimeout, DefaultTimeout // the attempts have to end by themselves
	}
	s := r.open(t, &o)
	start := time.Now()
	f := gatherVolumes(t.Context(), h, o)
	took := time.Since(start)
	if s != nil && !*update {
		// One that was cut short may not have arrived.
		if n := len(s.Requests()); n > r.requests || n < r.requests && r.each(o.api.tuning) == 0 {
			t.Errorf("%d requests, want %d", n, r.requests)
		}
	}
	noSecrets(t, r.name, f)
	if got, want := f.Source, FromIMDS; got != want || !good(f) {
		t.Errorf("the crawl beside it: source %s, problems %v", got, f.Problems)
	}
	return f, took
}

// run tries one row, without and with a kept answer, and renders it.
func (r ec2Row) run(t *testing.T) string {
	t.Helper()
	bare, took := r.gather(t, watched(t, t.TempDir()))
	kept := machine(t, nil)
	if err := keepVolumes(kept, exampleID, Facts{Now: noon, VolumesRead: noon, Volumes: Known(map[string]EBSVolume{"vol-0e": {}})}); err != nil {
		t.Fatal(err)
	}
	with, _ := r.gather(t, watched(t, kept.Root()))
	if reason, _ := bare.Volumes.Why(); reason != r.want || r.want != "" && !with.Volumes.IsKnown() {
		t.Errorf("%v, want %q; with a kept answer %v", bare.Problems, r.want, with.Volumes)
	}
	limit := r.bound().String()
	if r.bound() == 0 {
		limit = "at once"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", r.name, r.say, volumesOutcome(bare), volumesOutcome(with), limit, rounded(took))
}

// volumesOutcome is whose word counts, and what was told to be wrong.
func volumesOutcome(f Facts) string {
	s := "none"
	all, known := f.Volumes.Get()
	if _, old := all["vol-0e"]; old {
		s = "kept"
	} else if known {
		s = "ec2"
	}
	var reasons []string
	for _, p := range f.Problems {
		reasons = append(reasons, string(p.Reason))
	}
	slices.Sort(reasons)
	if r := slices.Compact(reasons); len(r) > 0 {
		s += ": " + strings.Join(r, ", ")
	}
	return s
}

const ec2MatrixHead = `# What a boot sees when EC2's API fails

Written by ` + "`go test ./bootstrap/facts -run Matrix -update`" + `, and held by that
test, all but the last column. EC2 is asked which volumes are attached where the
role has to do with disks and there is one besides the root's, and never by
the timer. An outcome is whose
word about them counts (ec2, the kept answer, none) and the reasons that are
told; the rest of the facts is whole in all of them, and no file changes.
The bound is arithmetic: %d attempts of at most %v to connect and %v to an
answer's end, %v at most between attempts, and %v for all of it. Where the last
answer is kept, it is %v for all of it: that answer counts then, also where a
further attempt would have been answered. The few milliseconds of healthy
answers are left out.

| fault | what goes wrong | nothing kept | last answer kept | bound | measured |
|---|---|---|---|---|---|
`

func TestEC2FaultMatrix(t *testing.T) {
	golden, err := os.ReadFile(ec2MatrixFile)
	if err != nil && !*update {
		t.Fatalf("%v; write it with -update", err)
	}
	all := ec2Rows(t)
	lines := make([]string, len(all))
	t.Run("rows", func(t *testing.T) {
		for n, r := range all {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				lines[n] = r.run(t)
				if !*update && !slices.ContainsFunc(strings.Split(string(golden), "\n"), func(l string) bool {
					return strings.HasPrefix(l, "| "+r.name+" |") && unmeasured(l) == unmeasured(lines[n])
				}) {
					t.Errorf("another line than in %s (-update writes it):\n%s", ec2MatrixFile, lines[n])
				}
			})
		}
	})
	d := ec2Defaults()
	head := fmt.Sprintf(ec2MatrixHead, d.tuning.attempts, d.tuning.dial, d.tuning.whole, d.tuning.backoff, d.within, d.kept)
	if *update {
		if t.Failed() || slices.Contains(lines, "") {
			t.Fatal("not every row has been run: nothing is written")
		}
		if err := os.WriteFile(ec2MatrixFile, []byte(head+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !strings.HasPrefix(string(golden), head) {
		t.Errorf("%s begins otherwise than the tuning says; -update writes it", ec2MatrixFile)
	} else if got := strings.Count(string(golden), "\n| "); got != len(all)+1 {
		t.Errorf("%s has %d rows, there are %d; -update writes it", ec2MatrixFile, got-1, len(all))
	}
}
