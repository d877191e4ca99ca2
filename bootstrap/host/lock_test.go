package host_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"reveille/bootstrap/host"
)

// Whoever waits for a lock whose file is removed under it must end up with the
// same file as whoever comes later, or two would hold it at once.
func TestLockIsOneAlsoWhenItsFileIsRemoved(t *testing.T) {
	root := t.TempDir()
	open := func() *host.Host {
		h, err := host.New(host.Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first, second := open(), open()
	release, err := first.Lock(t.Context(), "/run/lock")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan func())
	opened := make(chan struct{})
	go func() {
		close(opened)
		r, err := second.Lock(t.Context(), "/run/lock")
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	<-opened
	for !waits(t, filepath.Join(root, "run/lock")) {
		runtime.Gosched()
	}
	if err := first.RemoveAll("/run/lock"); err != nil {
		t.Fatal(err)
	}
	release()
	defer (<-got)()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if r, err := open().Lock(ctx, "/run/lock"); err == nil {
		r()
		t.Error("two hold the lock at once")
	}
}

// waits says that this process has the file open twice: one holds the lock and
// one waits for it.
func waits(t *testing.T, path string) bool {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range fds {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && target == path {
			n++
		}
	}
	return n == 2
}
