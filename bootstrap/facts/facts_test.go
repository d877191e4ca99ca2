package facts

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reveille/bootstrap/host"
	"reveille/integration/fakeimds"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		// What is parallel here waits; it does not compute.
		flag.Parse()
		if err := flag.Set("test.parallel", "32"); err != nil {
			panic(err)
		}
		goleak.VerifyTestMain(m)
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// quicker shortens every time of the tuning, so that what takes half a minute
// on an instance takes seconds here.
const quicker = 10

var quick = shorter(quicker)

// shorter is the real tuning with its times divided.
func shorter(by int) tuning {
	t, n := defaultTuning, time.Duration(by)
	t.dial, t.header, t.whole, t.backoff = t.dial/n, t.header/n, t.whole/n, t.backoff/n
	return t
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// options ask one endpoint, quickly.
func options(url string) Options {
	return Options{Endpoint: url, Now: clock, tuning: quick,
		Ours: func(key string) bool { return key == "hostname" || key == "role" }}
}

// serve opens a fake for the test's time.
func serve(t *testing.T, i fakeimds.Instance, fault string) *fakeimds.Running {
	t.Helper()
	f, ok := fakeimds.ByName(fault)
	if !ok {
		t.Fatalf("no fault %q", fault)
	}
	return serveFault(t, i, f)
}

func serveFault(t *testing.T, i fakeimds.Instance, f fakeimds.Fault) *fakeimds.Running {
	t.Helper()
	r, err := fakeimds.Open("127.0.0.1:0", i, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close the fake: %v", err)
		}
	})
	return r
}

// machine is a folder with these files, as a Host.
func machine(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	root := t.TempDir()
	for path, data := range files {
		put(t, root, path, data)
	}
	h, err := host.New(host.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func put(t *testing.T, root, path, data string) {
	t.Helper()
	p := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
