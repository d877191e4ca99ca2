package host

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel's host name, in a name space of the test's own thread.
func TestRealHostname(t *testing.T) {
	type answer struct {
		name string
		skip bool
		err  error
	}
	done := make(chan answer)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and its name with it.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWUTS); err != nil {
			done <- answer{skip: true, err: err}
			return
		}
		h, err := New(Options{})
		if err != nil {
			done <- answer{err: err}
			return
		}
		if err := h.SetHostname("dev-mysql01"); err != nil {
			done <- answer{err: err}
			return
		}
		name, err := h.Hostname()
		done <- answer{name: name, err: err}
	}()
	a := <-done
	if a.skip {
		t.Skipf("needs root, for a name space of its own: %v", a.err)
	}
	if a.err != nil || a.name != "dev-mysql01" {
		t.Errorf("%q, %v", a.name, a.err)
	}
}

// Where it cannot be seen whether hostnamed runs, the bus is asked.
func TestHostnamedRests(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"runs/systemd-hostnamed.service", "rests"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		slices []string
		want   bool
	}{
		{[]string{"runs"}, false}, {[]string{"rests"}, true}, {[]string{"none"}, false},
		{[]string{"none", "rests"}, true}, {[]string{"none", "runs"}, false},
	} {
		var slices []string
		for _, s := range c.slices {
			slices = append(slices, filepath.Join(dir, s))
		}
		if got := rests(slices); got != c.want {
			t.Errorf("%v: rests is %v", c.slices, got)
		}
	}
}
