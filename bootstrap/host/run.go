package host

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Bounds of a command.
const (
	MaxOutput = 4 << 20         // bytes of standard output that are kept; more is an error
	MaxStderr = 64 << 10        // bytes of standard error that are kept: the last ones
	KillAfter = 5 * time.Second // from SIGTERM to SIGKILL
	tailBytes = 400             // of standard error, in an error's text
)

// ErrAbandoned says that a command did not die at its deadline: it is stuck in
// the kernel, and goes on there without us.
var ErrAbandoned = errors.New("abandoned, stuck in the kernel")

// ExitError is a command that ended with another code than 0.
type ExitError struct {
	Argv []string
	Output
}

// Error is the command and the end of what it said on standard error.
func (e *ExitError) Error() string {
	said := strings.TrimSpace(string(e.Stderr))
	if len(said) > tailBytes {
		said = "…" + strings.ToValidUTF8(said[len(said)-tailBytes:], "")
	}
	if said == "" {
		said = "it said nothing"
	}
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Code < 0 {
		how = "ended by a signal"
	}
	return fmt.Sprintf("%s: %s: %s", strings.Join(e.Argv, " "), how, said)
}

// Run runs one external command to its end, with nothing on its standard
// input and LC_ALL=C. Another exit code than 0 is an *ExitError beside the
// output. At the context's end the command, with all that it has started, gets
// SIGTERM and, KillAfter later, SIGKILL; one that survives that is ErrAbandoned.
// What a command that ended well has left in the background is left alone.
// Under another root it is ErrOffline.
func (h *Host) Run(ctx context.Context, name string, args ...string) (Output, error) {
	argv := append([]string{name}, args...)
	h.point("run", strings.Join(argv, " "), "start")
	out, err := h.commands.Run(ctx, name, args...)
	h.point("run", strings.Join(argv, " "), "done")
	var exit *ExitError
	if err == nil && out.Code != 0 {
		return out, &ExitError{Argv: argv, Output: out}
	}
	if err != nil && !errors.As(err, &exit) {
		return out, fmt.Errorf("run %s: %w", strings.Join(argv, " "), err)
	}
	return out, err
}

// commands runs real ones.
type commands struct{ killAfter time.Duration }

func (c commands) Run(ctx context.Context, name string, args ...string) (Output, error) {
	if err := ctx.Err(); err != nil {
		return Output{Code: -1}, err
	}
	// Every descriptor of ours is close-on-exec, and Stdin is /dev/null.
	cmd := exec.CommandContext(ctx, name, args...)
	// A group of its own, so that a script's children end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = c.killAfter
	cmd.Env = environ(os.Environ())
	var stdout head
	var stderr tail
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Output{Code: -1}, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	err, ok := c.wait(ctx, done)
	if !ok {
		return Output{Code: -1}, fmt.Errorf("%w (process %d): %w", ErrAbandoned, cmd.Process.Pid, ctx.Err())
	}
	out := Output{Stdout: stdout.buf.Bytes(), Stderr: stderr.buf, Code: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the rest of its group, where there is any
	} else if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well; what it left in the background still holds its output open
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return out, fmt.Errorf("%w: %s", ctx.Err(), cmp.Or(strings.TrimSpace(string(out.Stderr)), "it said nothing"))
	case errors.As(err, &exit):
		return out, &ExitError{Argv: append([]string{name}, args...), Output: out}
	case err != nil:
		return out, err
	case stdout.over:
		return out, fmt.Errorf("%w: more than %d bytes of output", ErrTooLarge, MaxOutput)
	}
	return out, nil
}

// wait waits for the command, and gives up a second after SIGKILL should have
// ended it: a process in uninterruptible sleep ends for nobody.
func (c commands) wait(ctx context.Context, done <-chan error) (error, bool) {
	select {
	case err := <-done:
		return err, true
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err, true
	case <-time.After(c.killAfter + time.Second):
		return nil, false
	}
}

// environ is ours with messages in English and without questions, whoever
// starts the agent, and without what systemd says to the agent itself.
func environ(env []string) []string {
	out := []string{"LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	path := false
	for _, e := range env {
		key, _, _ := strings.Cut(e, "=")
		switch key {
		case "LC_ALL", "LANG", "LANGUAGE", "DEBIAN_FRONTEND",
			"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS": // between systemd and the agent alone
			continue
		}
		path = path || key == "PATH"
		out = append(out, e)
	}
	if !path {
		out = append(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return out
}

// head keeps the first MaxOutput bytes and takes the rest, so that the command
// does not block.
type head struct {
	buf  bytes.Buffer
	over bool
}

func (h *head) Write(p []byte) (int, error) {
	room := MaxOutput - h.buf.Len()
	if len(p) > room {
		h.over = true
		h.buf.Write(p[:room])
		return len(p), nil
	}
	return h.buf.Write(p)
}

// tail keeps the last MaxStderr bytes.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - MaxStderr; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}
