package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"reveille/coordinator/api"
	"reveille/integration/fakeimds"
)

// BenchmarkPass is a first pass on a fresh machine and the one after it, which
// has nothing to do, by the reports that they leave.
func BenchmarkPass(b *testing.B) {
	var first, second, firstSteps, secondSteps, crawl []float64
	for range b.N * 40 {
		m := newBenchMachine(b, "null")
		one, two := m.pass(b), m.pass(b)
		if changes(one) == 0 || changes(two) != 0 {
			b.Fatalf("%d changes in the first pass and %d in the second", changes(one), changes(two))
		}
		first, second = append(first, one.TookMS), append(second, two.TookMS)
		firstSteps, secondSteps = append(firstSteps, phase(b, one, "steps")), append(secondSteps, phase(b, two, "steps"))
		crawl = append(crawl, phase(b, one, "facts"), phase(b, two, "facts"))
	}
	row(b, "crawl", "ms", median(crawl))
	row(b, "first", "ms", median(first), "steps-ms", median(firstSteps))
	row(b, "second", "ms", median(second), "steps-ms", median(secondSteps), "second/first", median(second)/median(first))
}

// pass makes one and returns its report.
func (m benchMachine) pass(b *testing.B) api.Report {
	b.Helper()
	cmd := exec.Command(m.boot()[0], m.boot()[1:]...)
	cmd.Env = m.env
	var r api.Report
	if err := json.Unmarshal([]byte(output(b, cmd)), &r); err != nil {
		b.Fatal(err)
	}
	if r.State != api.Ready {
		b.Fatalf("state %s, errors %q, notes %q", r.State, r.Errors, r.Notes)
	}
	return r
}

func changes(r api.Report) int {
	n := 0
	for _, s := range r.Steps {
		n += len(s.Changes)
	}
	return n
}

func phase(b *testing.B, r api.Report, name string) float64 {
	b.Helper()
	for _, p := range r.Phases {
		if p.Name == name {
			return p.TookMS
		}
	}
	b.Fatalf("the report has no phase %s: %+v", name, r.Phases)
	return 0
}

// BenchmarkCoordinator sets passes with coordinators in all conditions against
// one without any: until the report on disk says ready, and until the command
// has ended.
func BenchmarkCoordinator(b *testing.B) {
	taker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer taker.Close()
	dead := func(fault string) string {
		f, _ := fakeimds.ByName(fault)
		s, err := fakeimds.Open("127.0.0.1:0", fakeimds.Instance{}, f)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s.URL
	}
	arms := []struct{ name, url string }{
		{"none", ""}, {"up", taker.URL}, {"refused", dead(fakeimds.Refused)}, {"silent", dead("silent")}, {"dropped", dead(fakeimds.Dropped)},
	}
	machines := make([]benchMachine, len(arms))
	ready, ended := make([][]float64, len(arms)), make([][]float64, len(arms))
	for i, a := range arms {
		value := "null"
		if a.url != "" {
			value = fmt.Sprintf("{urls: [%q]}", a.url)
		}
		machines[i] = newBenchMachine(b, value)
		machines[i].pass(b)
	}
	for range b.N * 11 {
		for i := range arms {
			r, e := machines[i].untilReady(b)
			ready[i], ended[i] = append(ready[i], r), append(ended[i], e)
		}
	}
	for i, a := range arms {
		row(b, a.name, "ready-ms", median(ready[i]), "ended-ms", median(ended[i]))
	}
}

// untilReady makes a pass and tells when its report said ready and when the
// process had ended, in milliseconds from the start.
func (m benchMachine) untilReady(b *testing.B) (ready, ended float64) {
	b.Helper()
	path := filepath.Join(m.root, "run/reveille/report.json")
	if err := os.Remove(path); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(m.boot()[0], m.boot()[1:]...)
	cmd.Env = m.env
	start := time.Now()
	since := func() float64 { return float64(time.Since(start).Microseconds()) / 1000 }
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	look := time.NewTicker(500 * time.Microsecond)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				b.Fatalf("%v: %v", cmd.Args, err)
			}
			ended = since()
			if ready == 0 { // both came between two looks
				if ready = ended; !saysReady(b, path) {
					b.Fatal("the pass ended, and its report does not say ready")
				}
			}
			return ready, ended
		case <-look.C:
			if ready == 0 && saysReady(b, path) {
				ready = since()
			}
		}
	}
}

func saysReady(b *testing.B, path string) bool {
	var r api.Report
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(data, &r) // it is never seen half written
	}
	if err != nil {
		b.Fatal(err)
	}
	return r.State == api.Ready
}
