package host_test

import (
	"testing"
	"time"

	"reveille/bootstrap/host/hosttest"
)

func event(t *testing.T, from <-chan struct{}, after string) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(10 * time.Second):
		t.Fatalf("no event after %s", after)
	}
}

func TestWatchTellsOfWhatHappensBelowTheRoot(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/run/": "", "/etc/a": "x"})
	w, err := m.Host().Watch("/run/cloud-init", "/etc")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m.Put("/etc/a", "y", 0o644)
	event(t, w.Events(), "a write")

	// The folder that is not there yet is seen to come, and then watched.
	m.Put("/run/cloud-init/", "", 0o755)
	event(t, w.Events(), "its folder came")
	if err := w.Add("/run/cloud-init"); err != nil {
		t.Fatal(err)
	}
	for drained := false; !drained; {
		select {
		case <-w.Events():
		default:
			drained = true
		}
	}
	m.Put("/run/cloud-init/status.json", "{}", 0o644)
	event(t, w.Events(), "a file came into it")
}
