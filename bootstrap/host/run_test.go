package host

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRunRealCommands(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Setenv("LANG", "de_DE.UTF-8")
	for _, c := range []struct {
		name, script string
		stdout       string
		err          string
	}{
		{name: "plain", script: "echo hello", stdout: "hello\n"},
		{name: "english", script: `echo "$LC_ALL-$LANG"`, stdout: "C-\n"},
		{name: "nothing to read", script: "cat; echo end", stdout: "end\n"},
		{name: "exit code", script: "echo half; echo why >&2; exit 3", stdout: "half\n", err: "exit code 3: why"},
		{name: "signal", script: "kill -9 $$", err: "ended by a signal"},
		{name: "long complaint", script: "yes x | head -c 9000 >&2; echo END >&2; exit 1", err: "END"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := commands{killAfter: time.Second}.Run(context.Background(), "sh", "-c", c.script)
			if string(out.Stdout) != c.stdout {
				t.Errorf("said %q, want %q", out.Stdout, c.stdout)
			}
			if (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestRunPassesNoDescriptorOn(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/ours")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := commands{killAfter: time.Second}.Run(context.Background(), "ls", "-l", "/proc/self/fd")
	if err != nil || strings.Contains(string(out.Stdout), f.Name()) {
		t.Errorf("%s (%v)", out.Stdout, err)
	}
}

func TestRunBoundsOutput(t *testing.T) {
	out, err := commands{killAfter: time.Second}.Run(context.Background(), "sh", "-c", "head -c 5000000 /dev/zero")
	if !errors.Is(err, ErrTooLarge) || len(out.Stdout) != MaxOutput {
		t.Errorf("%d bytes, %v", len(out.Stdout), err)
	}
}

// The child says when it is ready, so that the deadline comes after that.
func TestRunAtItsDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		script, stdout string
		killAfter      time.Duration
	}{
		// A busy computer must not keep it from its last words.
		"asked to end":            {"trap 'echo asked; exit 0' TERM; : >\"$1\"; while :; do sleep 0.01; done", "asked\n", time.Minute},
		"killed if it will not":   {"trap '' TERM; : >\"$1\"; while :; do sleep 0.01; done", "", 200 * time.Millisecond},
		"a child holds the pipes": {": >\"$1\"; exec sleep 60", "", 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			flag := t.TempDir() + "/ready"
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() {
				h, _ := New(Options{})
				for {
					if i, _ := h.Stat(flag); i.Exists {
						cancel()
						return
					}
				}
			}()
			out, err := commands{killAfter: c.killAfter}.Run(ctx, "sh", "-c", c.script, "sh", flag)
			if !errors.Is(err, context.Canceled) || errors.Is(err, ErrAbandoned) {
				t.Errorf("error %v", err)
			}
			if string(out.Stdout) != c.stdout {
				t.Errorf("said %q, want %q", out.Stdout, c.stdout)
			}
		})
	}
}

// A script's children end with it: none goes on behind the report's back.
func TestRunEndsTheWholeGroup(t *testing.T) {
	dir := t.TempDir()
	fifo := dir + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opened := make(chan *os.File)
	go func() {
		f, _ := os.Open(fifo) // returns once the child has it open for writing
		cancel()
		opened <- f
	}()
	_, err := commands{killAfter: 200 * time.Millisecond}.Run(ctx, "sh", "-c",
		"trap '' TERM; (trap '' TERM; while :; do sleep 0.01; done) >\"$1\" & wait", "sh", fifo)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	f := <-opened
	defer f.Close()
	// The end of the file comes when the last writer is dead.
	if rest, err := io.ReadAll(f); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// What a script leaves in the background, its output in hand, is no failure.
func TestRunLeavesTheBackgroundAlone(t *testing.T) {
	// What it said is read until then.
	out, err := commands{killAfter: time.Second}.Run(context.Background(), "sh", "-c", "sleep 60 & echo $!")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out.Stdout)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("it was ended: %v", err)
	}
}

// One that even SIGKILL does not end is left behind.
func TestRunAbandons(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, ok := (commands{}).wait(ctx, make(chan error)); ok {
		t.Error("it waited for a process that never ends")
	}
}

func TestRunOfWhatIsNotThere(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(context.Background(), "no-such-command-here"); err == nil || !strings.Contains(err.Error(), "no-such-command-here") {
		t.Errorf("%v", err)
	}
}
