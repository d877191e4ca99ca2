package host_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
)

// A service manager that does not read, because it hangs or is busy with its
// own files, must not make the agent hang with it.
func TestNotifyIsBounded(t *testing.T) {
	at := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	t.Setenv("NOTIFY_SOCKET", at)
	if err := host.Notify("READY=1"); err != nil {
		t.Fatalf("while there was room: %v", err)
	}
	full := make(chan error, 1)
	go func() {
		for {
			if err := host.Notify("STATUS=" + strings.Repeat("x", 1<<10)); err != nil {
				full <- err
				return
			}
		}
	}()
	select {
	case err := <-full:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("it said %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for a manager that does not read")
	}
	b := make([]byte, 1<<12)
	if n, err := l.Read(b); err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("the first word was %q, %v", b[:n], err)
	}
}

// Without a manager nobody is told, and that is no error.
func TestNotifyWithoutAManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := host.Notify("READY=1"); err != nil {
		t.Error(err)
	}
}
