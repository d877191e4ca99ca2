//go:build realsystemd

package host

import (
	"context"
	"errors"
	"testing"
	"time"
)

// The scripted units are only as good as what they imitate. The integration
// tests build this with its tag and run it as root in a container, where it
// may start and stop units as it likes.
func TestRealSystemd(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const name = "reveille-test.service"
	file := "/run/systemd/system/" + name
	clean := func() {
		if err := errors.Join(h.Units().Enqueue(ctx, "stop", name), h.Remove(file), h.Units().Reload(ctx)); err != nil {
			t.Error(err)
		}
	}
	state := func(want string) {
		t.Helper()
		got := ""
		for ctx.Err() == nil && got != want {
			if got, err = h.Units().State(ctx, name); err != nil {
				t.Fatal(err)
			}
		}
		if got != want {
			t.Fatalf("the unit is %q, want %q", got, want)
		}
	}
	do := func(verb string) {
		t.Helper()
		if err := h.Units().Enqueue(ctx, verb, name); err != nil {
			t.Fatal(err)
		}
	}

	state("absent")
	if err := h.Units().Enqueue(ctx, "start", name); err == nil {
		t.Error("a unit that is not there was started")
	}
	// Ready only when the flag is there: the job of its start stays in the queue.
	const flag = "/run/reveille-test-flag"
	unit := "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'until test -e " + flag + "; do sleep 0.01; done'\n"
	if err := h.Write(file, []byte(unit), Attr{Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	defer clean()
	knows := func(want bool) {
		t.Helper()
		if got, err := h.Units().Knows(ctx, name, file); err != nil || got != want {
			t.Errorf("it knows the file: %v (%v), want %v", got, err, want)
		}
	}
	knows(true) // read now, as it did not know it
	state("inactive")
	do("try-restart")
	state("inactive")
	do("start") // returns although the job cannot end
	if s, err := h.Units().State(ctx, name); s != "activating" {
		t.Errorf("with a job in the queue it is %q (%v)", s, err)
	}
	if err := h.Write(flag, nil, Attr{Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Remove(flag) }()
	state("active")
	if err := h.Write(file, []byte(unit+"# newer\n"), Attr{Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	knows(false) // it holds on to the older one, which runs
	if err := h.Units().Reload(ctx); err != nil {
		t.Fatal(err)
	}
	knows(true)
	do("restart")
	state("active")
	do("stop")
	state("inactive")
	if err := h.Units().Enqueue(ctx, "explode", name); err == nil {
		t.Error("an unknown verb was taken")
	}
}

// A task outlives whoever launched it, ends as its program does, is bounded,
// and its name is free again once it is forgotten.
func TestRealTask(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const name = `reveille-test-a\x2db.service`
	state := func(want string) TaskState {
		t.Helper()
		for {
			got, err := h.Units().Task(ctx, name)
			if err != nil {
				t.Fatalf("%v, want %q", err, want)
			}
			if got.State == want {
				return got
			}
		}
	}
	launch := func(within time.Duration, program string) error {
		return h.Units().Launch(ctx, Task{Unit: name, Description: "a test's", Argv: []string{"/bin/sh", "-c", program}, Within: within})
	}
	state("absent")
	const flag = "/run/reveille-test-go"
	for program, want := range map[string]TaskState{
		`test "$0" = /bin/sh && test "$LC_ALL" = C`: {State: "active"},
		"exit 3":     {State: "failed", Result: "exit-code", Code: 3},
		"kill -9 $$": {State: "failed", Result: "signal", Code: 9},
	} {
		listening, deaf := context.WithCancel(ctx)
		ends, err := h.Units().Ends(listening, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := launch(time.Minute, "until test -e "+flag+"; do sleep 0.01; done; "+program); err != nil {
			t.Fatal(err)
		}
		state("activating")
		if err := launch(time.Minute, "true"); err == nil || errors.Is(err, ErrNotBegun) {
			t.Errorf("launched twice: %v, which must not read as if nothing ran", err)
		}
		if err := h.Write(flag, nil, Attr{Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ends: // it has ended by now
		case <-ctx.Done():
			t.Fatalf("nobody was told of the end of %s", program)
		}
		deaf()
		if got, err := h.Units().Task(ctx, name); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", program, got, err, want)
		}
		if err := errors.Join(h.Remove(flag), h.Units().Forget(ctx, name)); err != nil {
			t.Fatal(err)
		}
		state("absent")
	}
	if err := launch(10*time.Millisecond, "sleep 60"); err != nil {
		t.Fatal(err)
	}
	if got := state("failed"); got.Result != "timeout" {
		t.Errorf("out of time: %+v", got)
	}
	if err := h.Units().Forget(ctx, name); err != nil {
		t.Fatal(err)
	}
	state("absent")
	if err := h.Units().Launch(ctx, Task{Unit: "no name", Argv: []string{"/bin/true"}}); err == nil {
		t.Error("a name that is none was taken")
	}
}
