package guest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// end is the far end of a connection, closed with the test.
func end(t *testing.T) (near, far net.Conn) {
	t.Helper()
	near, far = net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func TestMonitorsAnswers(t *testing.T) {
	near, far := end(t)
	go func() {
		in := bufio.NewScanner(far)
		for n := 1; in.Scan(); n++ {
			if strings.Contains(in.Text(), `"system_powerdown"`) {
				far.Close() // QEMU is gone while it is asked
				return
			}
			// An answer that nobody waits for comes before each that somebody does.
			fmt.Fprintf(far, `{"return": "stale", "id": "0"} {"return": "answer %d", "id": "%d"}`, n, n)
		}
	}()
	m, err := newMonitor(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := m.human(t.Context(), "info registers"); err != nil || said != "answer 2" {
		t.Errorf("the second command: %q, %v; want its own answer", said, err)
	}
	for _, what := range []string{"asked as it ends", "asked afterwards"} {
		if err := m.do(t.Context(), "system_powerdown", nil, nil); err == nil || !strings.Contains(err.Error(), "QEMU's monitor has ended") {
			t.Errorf("%s: %v, want that the monitor has ended", what, err)
		}
	}
}

func TestCommandsAnswers(t *testing.T) {
	near, far := end(t)
	c := newCommands(near)
	in := bufio.NewReader(far)
	run := func() <-chan error {
		done := make(chan error, 1)
		go func() {
			got, err := c.run(t.Context(), nil, "true")
			if err == nil && (string(got.Stdout) != "out" || got.Code != 3) {
				err = fmt.Errorf("the command said %q and ended with %d", got.Stdout, got.Code)
			}
			done <- err
		}()
		if _, err := in.ReadString(0); err != nil { // its request, whole
			t.Error(err)
		}
		return done
	}
	fmt.Fprint(far, "ready 0 0 0\n")
	<-c.ready
	first := run()
	if c.idle() {
		t.Error("idle while a command runs")
	}
	fmt.Fprint(far, "7 0 5 0\nstale1 3 3 0\nout")
	if err := <-first; err != nil || !c.idle() {
		t.Errorf("the first command: %v; idle: %v", err, c.idle())
	}
	second := run()
	fmt.Fprint(far, "ready 0 0 0\n")
	if err := <-second; !errors.Is(err, errShellRestarted) {
		t.Errorf("a command whose shell was started again: %v", err)
	}
	third := run()
	far.Close()
	if err := <-third; err == nil || !strings.Contains(err.Error(), "command port has ended") {
		t.Errorf("a command whose port has ended: %v", err)
	}
	if _, err := c.run(t.Context(), nil, "true"); err == nil || !strings.Contains(err.Error(), "command port has ended") {
		t.Errorf("a command afterwards: %v", err)
	}
}
