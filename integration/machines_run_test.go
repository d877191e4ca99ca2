package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/guest"
)

// runWithin bounds one command in a machine, and untilWithin a condition,
// before they are scaled.
const (
	runWithin   = 60 * time.Second
	untilWithin = 30 * time.Second
)

// background is a command that a case goes on beside.
type background struct {
	cancel context.CancelFunc
	done   chan struct{}
	result guest.Result
	err    error
}

// wordOn runs a command in the machine, for stdout, stderr and exit codes.
func wordOn(ts *testscript.TestScript, neg bool, args []string) {
	s := theStage(ts)
	want, args := exitWord(ts, args)
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(runWithin))
	defer cancel()
	r, err := s.on(ctx, args)
	judge(ts, neg, want, r, err)
}

func (s *stage) on(ctx context.Context, args []string) (guest.Result, error) {
	if s.machine == nil {
		return guest.Result{}, fmt.Errorf("run %s: there is no machine yet", args[0])
	}
	return s.machine.Run(ctx, args...)
}

// exitWord takes exit=N off the words; 0 where none is given.
func exitWord(ts *testscript.TestScript, args []string) (code int, rest []string) {
	if len(args) > 0 && strings.HasPrefix(args[0], "exit=") {
		code, err := strconv.Atoi(strings.TrimPrefix(args[0], "exit="))
		ts.Check(err)
		return code, args[1:]
	}
	if len(args) == 0 {
		ts.Fatalf("a command is missing")
	}
	return 0, args
}

// judge hands out what a command said, and holds its end against what the case
// wants.
func judge(ts *testscript.TestScript, neg bool, want int, r guest.Result, err error) {
	fmt.Fprintf(ts.Stdout(), "%s", r.Stdout)
	fmt.Fprintf(ts.Stderr(), "%s", r.Stderr)
	switch {
	case err != nil:
		ts.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	case neg && r.Code == 0:
		ts.Fatalf("it ended well, and should not have")
	case !neg && r.Code != want:
		ts.Fatalf("it ended with %d, not %d\n%s%s", r.Code, want, r.Stdout, r.Stderr)
	}
}

// wordUntil repeats a command until it ends well ("! until": until it does
// not), and says its last words where it never does.
func wordUntil(ts *testscript.TestScript, neg bool, args []string) {
	s := theStage(ts)
	within := untilWithin
	if len(args) > 0 {
		if d, err := time.ParseDuration(args[0]); err == nil {
			within, args = d, args[1:]
		}
	}
	if len(args) == 0 {
		ts.Fatalf("usage: until [TIME] COMMAND…")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(within))
	defer cancel()
	began, pause := time.Now(), 10*time.Millisecond
	var last guest.Result
	for tries := 1; ; tries++ {
		r, err := s.on(ctx, args)
		if err == nil {
			last = r
		}
		if ctx.Err() == nil && err != nil {
			ts.Fatalf("%v", err)
		}
		if err == nil && (r.Code == 0) != neg {
			judge(ts, neg, 0, r, nil)
			return
		}
		select {
		case <-time.After(pause): // what is waited for is the command's end
			pause = min(2*pause, 200*time.Millisecond)
		case <-ctx.Done():
			ts.Fatalf("not so after %s and %d tries; the last one ended with %d\n%s%s", time.Since(began).Round(time.Millisecond), tries, last.Code, last.Stdout, last.Stderr)
		}
	}
}

// wordOpen waits for what any login needs of a boot, and a pass does not: each
// part stays so once it is. Who does not wait asks sshd whether it was quicker.
func wordOpen(ts *testscript.TestScript, _ bool, _ []string) {
	const asked = `systemctl -q is-active ssh && systemctl -q is-active systemd-user-sessions && ip -br address show dev eth0 | grep -F " $1/"`
	wordUntil(ts, false, []string{"sh", "-c", asked, "sh", theStage(ts).address})
}

// wordLogin is one ssh session from the network, as an operator's.
func wordLogin(ts *testscript.TestScript, neg bool, args []string) {
	s := theStage(ts)
	within := runWithin
	if len(args) > 0 && strings.HasPrefix(args[0], "within=") {
		d, err := time.ParseDuration(strings.TrimPrefix(args[0], "within="))
		ts.Check(err)
		within, args = d, args[1:]
	}
	want, args := exitWord(ts, args)
	if len(args) < 2 {
		ts.Fatalf("usage: login [within=TIME] [exit=N] USER COMMAND…")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(within))
	defer cancel()
	began := time.Now()
	r, err := s.fabric.Login(ctx, s.spec.Image.Key, args[0], s.address, args[1:]...)
	ts.Logf("login took %s", time.Since(began).Round(time.Millisecond))
	if neg && err != nil {
		fmt.Fprintf(ts.Stderr(), "%v\n", err)
		return
	}
	judge(ts, neg, want, r, err)
}

// wordBackground starts a command beside the case: background NAME COMMAND…
func wordBackground(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	if len(args) < 2 {
		ts.Fatalf("usage: background NAME COMMAND…")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(5*time.Minute))
	b := &background{cancel: cancel, done: make(chan struct{})}
	s.running[args[0]] = b
	go func() {
		defer close(b.done)
		b.result, b.err = s.on(ctx, args[1:])
	}()
}

// wordAwait is its end: await [exit=N] NAME.
func wordAwait(ts *testscript.TestScript, neg bool, args []string) {
	s := theStage(ts)
	want, args := exitWord(ts, args)
	b, ok := s.running[args[0]]
	if !ok {
		ts.Fatalf("await: nothing called %q runs in the background", args[0])
	}
	delete(s.running, args[0])
	<-b.done
	b.cancel()
	judge(ts, neg, want, b.result, b.err)
}

// wordPut writes a file in the running machine: put FILE PATH [MODE].
func wordPut(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(runWithin))
	defer cancel()
	ts.Check(s.machine.Put(ctx, fileWord(ts, args)))
}

// wordConsole is all that the machine has said, over all its boots.
func wordConsole(ts *testscript.TestScript, _ bool, _ []string) {
	s := theStage(ts)
	fmt.Fprintf(ts.Stdout(), "%s%s", s.old, s.machine.Console())
}
