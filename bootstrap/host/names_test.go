package host

import (
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
