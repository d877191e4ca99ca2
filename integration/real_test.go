package integration_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// needProgram skips, with the reason, where a Debian package is not installed,
// and fails where everything is meant to run.
func needProgram(t *testing.T, path, debian string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	lacking(t, path+" is not there: apt-get install --no-install-recommends "+debian)
}

// lacking skips with what is not there, or fails where everything must run.
func lacking(t *testing.T, say string) {
	t.Helper()
	if os.Getenv("CI") != "" || os.Getenv("REVEILLE_REAL") == "1" {
		t.Fatal(say)
	}
	t.Skip(say)
}

// needRoot skips, with what root is needed for.
func needRoot(t *testing.T, why string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root, who alone may " + why)
	}
}

// runReal starts a program of its own process and ends it with the test. What
// it printed is shown where the test failed.
func runReal(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It may have ended by itself, which its output will tell.
		_ = cmd.Process.Kill()
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("%v: %v\n%s", cmd.Args, err, out.Bytes())
		}
	})
}

// waitFor asks until the answer is nil, and fails at the deadline with the last.
func waitFor(t *testing.T, within time.Duration, what string, so func() error) {
	t.Helper()
	if err := waited(within, what, so); err != nil {
		t.Fatal(err)
	}
}

// waited is waitFor where no test is at hand.
func waited(within time.Duration, what string, so func() error) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(within)
	for {
		err := so()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-deadline:
			return fmt.Errorf("waited %v until %s: %w", within, what, err)
		}
	}
}

// freePort is an address that nobody listens on now. It is not 127.0.0.1, where
// the kernel gives a port that was free a moment ago to the next who asks, but a
// loopback address of this process alone.
func freePort(t *testing.T) string {
	t.Helper()
	pid := os.Getpid() // at most 22 bits
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 64+pid>>16, pid>>8&0xff, pid&0xff))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
