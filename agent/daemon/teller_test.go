package daemon

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reveille/agent/report"
	"reveille/coordinator/api"
)

// A coordinator that was away hears of the newest report when it comes back,
// with no pass in between, and nothing is said of it afterwards.
func TestACoordinatorThatComesBackIsTold(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var up atomic.Bool
	var mu sync.Mutex
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	h := machine(t, thisID).Host()
	tl := newTeller(h, slog.New(slog.DiscardHandler))
	defer tl.close()
	tl.tell(t.Context(), Outcome{Whom: []string{srv.URL}, Report: api.Report{Version: 1, InstanceID: thisID, State: api.Ready}})
	if kept := report.LoadUntold(h); len(kept) != 1 || !strings.Contains(kept[0], "503") {
		t.Errorf("while it is away: %q", kept)
	}
	up.Store(true)
	eventually(t, "it is told, and nothing is owed any more", func() bool { return len(report.LoadUntold(h)) == 0 })
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1 || !strings.HasSuffix(got[0], thisID+"/report") {
		t.Errorf("it got %q", got)
	}
}

// Who is no longer to be told is owed nothing.
func TestCoordinatorsThatChange(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer srv.Close()
	h := machine(t, thisID).Host()
	tl := newTeller(h, slog.New(slog.DiscardHandler))
	defer tl.close()
	r := api.Report{Version: 1, InstanceID: thisID, State: api.Ready}
	for _, c := range []struct {
		whom []string
		owed int
	}{
		{[]string{"http://127.0.0.1:1"}, 1},
		{[]string{"http://127.0.0.1:1", srv.URL}, 1},
		{[]string{srv.URL}, 0},
		{[]string{"ftp://nowhere"}, 1},
		{nil, 0},
	} {
		tl.tell(t.Context(), Outcome{Whom: c.whom, Report: r})
		if kept := report.LoadUntold(h); len(kept) != c.owed {
			t.Errorf("%v: owed %q", c.whom, kept)
		}
	}
}

// eventually waits for what another program or goroutine does.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
