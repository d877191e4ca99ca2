package converge

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reveille/bootstrap/plan"
)

func TestChangesOfOneStep(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	broken := func(context.Context) error { return errBoom }
	change := func(say string, risk plan.Risk, do func(context.Context) error) plan.Change {
		return plan.Change{Say: say, Risk: risk, Do: do}
	}
	for name, c := range map[string]struct {
		changes []plan.Change
		want    []string
	}{
		"one above the gate holds back all": {
			[]plan.Change{change("write", plan.Safe, broken), change("format", plan.Destroys, broken)},
			[]string{"x", "drifted", "write", "format"}},
		"the first that fails ends it": {
			[]plan.Change{change("write", plan.Safe, nothing), change("sync", plan.Safe, broken), change("rename", plan.Safe, func(context.Context) error { panic("went on") })},
			[]string{"x", "failed", "write", "error: sync: boom"}},
		"done and still not so": {
			[]plan.Change{change("write", plan.Safe, nothing), change("restart", plan.Disrupts, nothing)},
			[]string{"x", "failed", "write", "restart", "error: still not so after: write, restart; a second look asks for: write, restart"}},
		"unsound, all told and none done": {
			[]plan.Change{change("write", plan.Nothing, broken), change("chmod", plan.Safe, nil), change("", plan.Safe, broken), change("fly", 9, broken)},
			[]string{"x", "failed", "error: nothing was done: change 1 (write) has no risk that there is: nothing\nchange 2 (chmod) cannot be done: it has no Do\nchange 3 does not say what it is\nchange 4 (fly) has no risk that there is: risk(9)"}},
		"a change panics": {
			[]plan.Change{change("write", plan.Safe, func(context.Context) error { panic("nil map") })},
			[]string{"x", "failed", "error: write: x: write: a fault in reveille itself, please report it: panic: nil map"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := &fake{id: "x", check: func(context.Context, int) ([]plan.Change, error) { return c.changes, nil }}
			want(t, run(t, t.Context(), plan.Plan{step(x)}, Options{Max: plan.Disrupts}), c.want)
		})
	}
}

func TestFaultsOfAResource(t *testing.T) {
	panics := &fake{id: "panics", check: func(_ context.Context, look int) ([]plan.Change, error) {
		var none []plan.Change
		return none[:look], nil
	}}
	leaves := &fake{id: "leaves", check: func(context.Context, int) ([]plan.Change, error) { runtime.Goexit(); return nil, nil }}
	r := run(t, t.Context(), plan.Plan{step(panics), step(leaves), step(&fake{id: "well"})}, Options{Max: plan.Safe})
	want(t, r,
		[]string{"panics", "failed", "error: panics: look: a fault in reveille itself, please report it: panic: runtime error: slice bounds out of range [:1] with capacity 0"},
		[]string{"leaves", "failed", "error: leaves: look: ended its goroutine without an answer"},
		[]string{"well", "ok"})
	var p *Panic
	if !errors.As(r.Results[0].Err, &p) || !strings.Contains(string(p.Stack), "TestFaultsOfAResource") {
		t.Errorf("no stack that leads to the fault: %s", p.Stack)
	}
}

// A resource that does not heed its context is left behind and named; what it
// answers afterwards changes nothing, and what it had still to do is not done.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		var said diary
		stuck := &fake{id: "mount:/data", check: func(context.Context, int) ([]plan.Change, error) {
			return []plan.Change{
				{Say: "mount /data", Risk: plan.Disrupts, Do: func(context.Context) error { <-free; said.add("returned"); return nil }},
				{Say: "chown /data", Risk: plan.Disrupts, Do: func(context.Context) error { said.add("went on"); return nil }},
			}, nil
		}}
		p := plan.Plan{step(stuck), step(&fake{id: "service"}, "mount:/data"), step(&fake{id: "other"})}
		p[0].Within = 3 * time.Second
		r := run(t, t.Context(), p, Options{Max: plan.Disrupts})
		want(t, r,
			[]string{"mount:/data", "failed", "error: mount /data: not so within 3s: abandoned: mount:/data: mount /data had not stopped 1s after it was told to; it may hang in the kernel"},
			[]string{"service", "blocked", "error: needs mount:/data (failed)"},
			[]string{"other", "ok"})
		if !errors.Is(r.Results[0].Err, ErrAbandoned) || !errors.Is(r.Results[0].Err, context.DeadlineExceeded) {
			t.Error("the error is neither ErrAbandoned nor a deadline")
		}
		if r.Took != 3*time.Second+Grace {
			t.Errorf("the stuck mount held the walk for %v", r.Took)
		}
		close(free)
		synctest.Wait()
		if !said.has("returned") || said.has("went on") {
			t.Errorf("after it was set free: %q", said.words)
		}
		if r.Results[0].State != Failed {
			t.Errorf("the late answer made it %s", r.Results[0].State)
		}
	})
}

// A change that ends after the deadline, but in time to be heard, is the last.
func TestNothingBeginsAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &fake{id: "x", check: func(context.Context, int) ([]plan.Change, error) {
			return []plan.Change{
				{Say: "create", Risk: plan.Disrupts, Do: func(context.Context) error { time.Sleep(1500 * time.Millisecond); return nil }},
				{Say: "mkfs", Risk: plan.Disrupts, Do: func(context.Context) error { panic("begun after the deadline") }},
			}, nil
		}}
		p := plan.Plan{step(x)}
		p[0].Within = time.Second
		want(t, run(t, t.Context(), p, Options{Max: plan.Disrupts}),
			[]string{"x", "failed", "create", "error: mkfs: not begun: not so within 1s"})
	})
}

func TestNotYetIsTriedAgain(t *testing.T) {
	late := &plan.NotYet{For: "device /dev/sdf", Facts: true}
	for name, c := range map[string]struct {
		err  error
		wait bool
	}{
		"alone":                  {late, true},
		"wrapped":                {fmt.Errorf("assemble: %w", late), true},
		"joined to its like":     {errors.Join(late, &plan.NotYet{For: "udev"}), true},
		"joined to a final one":  {errors.Join(late, errBoom), false},
		"wrapped with a final":   {fmt.Errorf("%w: %w", errBoom, late), false},
		"final":                  {errBoom, false},
		"no error at all in one": {errors.Join(nil, nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &fake{id: "x"}
				x.check = func(_ context.Context, look int) ([]plan.Change, error) {
					if look < 4 {
						return nil, c.err
					}
					return nil, nil
				}
				r := run(t, t.Context(), plan.Plan{step(x)}, Options{Max: plan.Safe}).Results[0]
				switch {
				case c.wait && (r.State != OK || r.Attempts != 4 || !r.Facts):
					t.Errorf("%s after %d attempts (%v), facts %v; want ok after 4", r.State, r.Attempts, r.Err, r.Facts)
				case !c.wait && r.Attempts != 1:
					t.Errorf("a final error was tried %d times", r.Attempts)
				}
			})
		})
	}
}

func TestNotYetUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := failing("x", &plan.NotYet{For: "device /dev/sdf"})
		r := run(t, t.Context(), plan.Plan{step(x)}, Options{Max: plan.Safe})
		want(t, r, []string{"x", "failed", "error: not so within 30s: waiting for device /dev/sdf"})
		if r.Took != plan.DefaultWithin {
			t.Errorf("took %v", r.Took)
		}
		// Pauses of 20 ms at least and 1 s on average, once grown.
		if n := r.Results[0].Attempts; n < 15 || n > 200 {
			t.Errorf("%d looks in 30s: neither patient nor awake", n)
		}
		var notYet *plan.NotYet
		if !errors.As(r.Results[0].Err, &notYet) {
			t.Error("what it waited for cannot be found in the error")
		}
	})
}

// A restart that takes its time: Do enqueues and says NotYet, the next looks
// see it under way, and in the end it counts as done, once.
func TestDoMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var enqueued time.Time
		unit := &fake{id: "unit", check: func(context.Context, int) ([]plan.Change, error) {
			switch {
			case enqueued.IsZero():
				return []plan.Change{{Say: "restart unit", Risk: plan.Disrupts, Do: func(context.Context) error {
					enqueued = time.Now()
					return &plan.NotYet{For: "unit to be active"}
				}}}, nil
			case time.Since(enqueued) < 5*time.Second:
				return nil, &plan.NotYet{For: "unit to be active"}
			}
			return nil, nil
		}}
		r := run(t, t.Context(), plan.Plan{step(unit)}, Options{Max: plan.Disrupts})
		want(t, r, []string{"unit", "changed", "restart unit"})
		if took := r.Took; took < 5*time.Second || took > 8*time.Second {
			t.Errorf("took %v for a restart of 5s", took)
		}
	})
}

func TestDoThatWaitsInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unit := &fake{id: "unit", check: func(context.Context, int) ([]plan.Change, error) {
			return []plan.Change{{Say: "stop array", Risk: plan.Disrupts, Do: func(context.Context) error { return &plan.NotYet{For: "array to be free"} }}}, nil
		}}
		want(t, run(t, t.Context(), plan.Plan{step(unit)}, Options{Max: plan.Disrupts}),
			[]string{"unit", "failed", "stop array", "error: not so within 30s: stop array: waiting for array to be free"})
	})
}

// Half of a step was done when what is left turned out to be above the gate.
func TestGateHoldsAfterAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &fake{id: "x", check: func(_ context.Context, look int) ([]plan.Change, error) {
			if look == 1 {
				return []plan.Change{{Say: "run array", Risk: plan.Disrupts, Do: func(context.Context) error { return &plan.NotYet{For: "array"} }}}, nil
			}
			return []plan.Change{{Say: "format", Risk: plan.Destroys, Do: func(context.Context) error { panic("formatted") }}}, nil
		}}
		r := run(t, t.Context(), plan.Plan{step(x)}, Options{Max: plan.Disrupts})
		want(t, r, []string{"x", "failed", "run array", "error: half done: what is left may not be done now: format (destroys)"})
	})
}

// An event makes a waiting step look again soon; a storm of them does not make
// it busy, and one that comes during a look is not lost.
func TestWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		close(closed)
		x := failing("x", &plan.NotYet{For: "a disk"})
		p := plan.Plan{step(x)}
		p[0].Within = time.Second
		run(t, t.Context(), p, Options{Max: plan.Safe, Wake: func() <-chan struct{} { return closed }})
		if n := x.count(); n < 40 || n > 51 {
			t.Errorf("a storm of events made %d looks in a second, want one each 20ms", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		event := make(chan struct{})
		x := &fake{id: "x", check: func(_ context.Context, look int) ([]plan.Change, error) {
			switch look {
			case 1: // by now the pauses would be about a second
				time.Sleep(time.Second)
				close(event)
				return nil, &plan.NotYet{For: "a disk"}
			}
			return nil, nil
		}}
		r := run(t, t.Context(), plan.Plan{step(x)}, Options{Max: plan.Safe, Wake: func() <-chan struct{} { return event }})
		if r.Took != time.Second+shortest || r.Results[0].State != OK {
			t.Errorf("%s after %v; the event came at 1s", r.Results[0].State, r.Took)
		}
	})
}
