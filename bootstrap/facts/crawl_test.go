package facts

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reveille/integration/fakeimds"
)

func TestNothingStaysOpenAfterACrawl(t *testing.T) {
	for _, fault := range []string{"none", "403", "half-body"} {
		r := serve(t, fakeimds.Example(), fault)
		before := goleak.IgnoreCurrent()
		Gather(t.Context(), machine(t, nil), options(r.URL))
		goleak.VerifyNone(t, before) // the fake is still open: only the crawl can have ended its connections
	}
}

// What passes once is tried again, and leaves no problem behind.
func TestWhatPassesIsNoProblem(t *testing.T) {
	for name, act := range map[string]func(*fakeimds.Server, http.ResponseWriter, *http.Request) bool{
		"half an answer": fakeimds.Half(), "a server error": fakeimds.Status(500), "throttled": fakeimds.Status(429),
		"a stall": fakeimds.Stall(), "silence": fakeimds.Silent(), "a 401": fakeimds.Status(401),
	} {
		for _, path := range []string{"instance-id", "tags/instance/role", "user-data"} {
			t.Run(name+" on "+path, func(t *testing.T) {
				t.Parallel()
				r := serveFault(t, fakeimds.Example(), fakeimds.Fault{Method: "GET", Path: path, Times: 1, Act: act})
				f := Gather(t.Context(), machine(t, nil), options(r.URL))
				if f.Source != FromIMDS || !good(f) || len(f.Problems) != 0 {
					t.Errorf("source %s, problems %+v", f.Source, f.Problems)
				}
			})
		}
	}
}

// A token that runs out and cannot be had again ends every other question
// too, each of which would wait as long for its own.
func TestNoSecondToken(t *testing.T) {
	r := serve(t, fakeimds.Example(), "token-expires")
	r.Server.Inject(fakeimds.Fault{Method: "PUT", Skip: 1, Act: fakeimds.Status(403)})
	f := Gather(t.Context(), machine(t, nil), options(r.URL))
	if f.Source != FromIMDS || good(f) {
		t.Fatalf("source %s, problems %+v", f.Source, f.Problems)
	}
	puts := 0
	for _, q := range r.Server.Requests() {
		if q.Method == "PUT" {
			puts++
		}
	}
	// Those under way when the first of them failed may have asked once more.
	if puts > 1+parallel {
		t.Errorf("%d tokens were asked for", puts)
	}
	for _, p := range f.Problems {
		if p.Reason != Forbidden && p.Reason != Unauthorized {
			t.Errorf("problem %+v", p)
		}
	}
}

// One question that hangs until the end of the crawl leaves its own fact
// unknown, and no other.
func TestAQuestionThatHangsHoldsUpNoOther(t *testing.T) {
	asked := serve(t, fakeimds.Example(), "none")
	Gather(t.Context(), machine(t, nil), options(asked.URL))
	needed := func(path string) bool {
		for _, part := range []string{"instance-id", "region", "availability-zone", "hostname", "local-ipv4", "public-ipv4", "security-groups", "/tags/", "/macs/", "user-data"} {
			if strings.Contains(path, part) && !strings.HasSuffix(path, "availability-zone-id") {
				return true
			}
		}
		return false
	}
	seen := map[string]bool{}
	for _, q := range asked.Server.Requests() {
		path := strings.TrimPrefix(q.Path, "/latest/")
		if q.Method != http.MethodGet || seen[path] || needed(path) {
			continue
		}
		seen[path] = true
		t.Run(strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
			t.Parallel()
			r := serveFault(t, fakeimds.Example(), fakeimds.Fault{Method: http.MethodGet, Path: path, Act: fakeimds.Silent()})
			o := options(r.URL)
			o.Timeout = 2 * time.Second
			if f := Gather(t.Context(), machine(t, nil), o); f.Source != FromIMDS || !good(f) {
				t.Errorf("source %s, problems %+v", f.Source, f.Problems)
			}
		})
	}
	if len(seen) < 8 {
		t.Errorf("only %v can hang", seen)
	}
}
