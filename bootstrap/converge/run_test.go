package converge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"reveille/bootstrap/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUnsoundPlanRunsNothing(t *testing.T) {
	a := &fake{id: "a"}
	r, err := Run(t.Context(), nil, plan.Plan{step(a), step(&fake{id: "b"}, "c")}, Options{Max: plan.Destroys})
	if err == nil || !strings.Contains(err.Error(), `needs "c"`) {
		t.Errorf("error %v does not name the unknown need", err)
	}
	if a.count() != 0 || len(r.Results) != 0 {
		t.Errorf("%d looks and %d results of a plan that is unsound", a.count(), len(r.Results))
	}
}

func TestStates(t *testing.T) {
	p := plan.Plan{
		step(&fake{id: "was so"}),
		step(soAfter("file", plan.Safe, nil), "was so"),
		step(soAfter("format", plan.Destroys, nil), "file"),
		step(&fake{id: "mount"}, "format", "file"),
		step(&fake{id: "service"}, "mount", "broken"),
		step(failing("broken", errBoom)),
	}
	r := run(t, t.Context(), p, Options{Max: plan.Disrupts})
	want(t, r,
		[]string{"was so", "ok"},
		[]string{"file", "changed", "make file"},
		[]string{"format", "drifted", "make format"},
		[]string{"mount", "blocked", "error: needs format (drifted)"},
		[]string{"service", "blocked", "error: needs mount (blocked), broken (failed)"},
		[]string{"broken", "failed", "error: boom"},
	)
	if !errors.Is(r.Results[5].Err, errBoom) {
		t.Errorf("error %v, want the resource's own", r.Results[5].Err)
	}
	for i, attempts := range []int{1, 1, 1, 0, 0, 1} {
		if got := r.Results[i]; got.Attempts != attempts || got.Facts {
			t.Errorf("%s: %d attempts, want %d; waits for facts %v", p[i].ID(), got.Attempts, attempts, got.Facts)
		}
	}
}

func TestDryRun(t *testing.T) {
	never := func(context.Context) error { panic("a dry run changed something") }
	p := plan.Plan{
		step(&fake{id: "was so"}),
		step(soAfter("array", plan.Safe, never)),
		step(failing("mount", errBoom), "array"),
		step(soAfter("file", plan.Destroys, never), "array", "mount"),
		step(failing("late", &plan.NotYet{For: "device /dev/sdf", Facts: true}), "was so"),
		step(failing("broken", errBoom)),
		step(&fake{id: "after"}, "broken"),
		step(&fake{id: "fault", check: func(context.Context, int) ([]plan.Change, error) { panic("oops") }}, "array"),
	}
	r := run(t, t.Context(), p, Options{})
	want(t, r,
		[]string{"was so", "ok"},
		[]string{"array", "drifted", "make array"},
		[]string{"mount", "unknown", "error: cannot be seen before what it needs is so: array (drifted): boom"},
		[]string{"file", "drifted", "make file"},
		[]string{"late", "unknown", "error: waiting for device /dev/sdf"},
		[]string{"broken", "failed", "error: boom"},
		[]string{"after", "blocked", "error: needs broken (failed)"},
		[]string{"fault", "failed", "error: fault: look: a fault in reveille itself, please report it: panic: oops"},
	)
	for _, s := range r.Results {
		if s.Facts != (s.Step.ID() == "late") {
			t.Errorf("%s: waits for facts %v", s.Step.ID(), s.Facts)
		}
	}
}

func TestRequiredReachesResults(t *testing.T) {
	top := step(&fake{id: "top"}, "base")
	top.Required = true
	r := run(t, t.Context(), plan.Plan{step(&fake{id: "base"}), top, step(&fake{id: "aside"})}, Options{Max: plan.Safe})
	got := []bool{r.Results[0].Step.Required, r.Results[1].Step.Required, r.Results[2].Step.Required}
	if d := cmp.Diff([]bool{true, true, false}, got); d != "" {
		t.Errorf("required (-want +got):\n%s", d)
	}
}

// Steps start when their needs are so, side by side, and times say so.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := func(id string, d time.Duration) *fake {
			return soAfter(id, plan.Safe, func(context.Context) error { time.Sleep(d); return nil })
		}
		p := plan.Plan{
			step(takes("c", 5*time.Second), "a", "b"),
			step(takes("a", time.Second)),
			step(takes("b", 3*time.Second)),
			step(takes("d", time.Second), "a"),
		}
		r := run(t, t.Context(), p, Options{Max: plan.Safe})
		var got []time.Duration
		for _, s := range r.Results {
			got = append(got, s.Start/time.Second, s.Took/time.Second)
		}
		if d := cmp.Diff([]time.Duration{3, 5, 0, 1, 0, 3, 1, 1}, got); d != "" {
			t.Errorf("start and took in seconds (-want +got):\n%s", d)
		}
		if r.Took != 8*time.Second {
			t.Errorf("the whole took %v, want 8s", r.Took)
		}
	})
}

// The bound of a step counts from the moment when its needs are so.
func TestWithinCountsFromNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := soAfter("slow", plan.Safe, func(context.Context) error { time.Sleep(time.Minute); return nil })
		next := soAfter("next", plan.Safe, func(context.Context) error { time.Sleep(time.Second); return nil })
		p := plan.Plan{step(slow), step(next, "slow")}
		p[0].Within, p[1].Within = 2*time.Minute, 2*time.Second
		want(t, run(t, t.Context(), p, Options{Max: plan.Safe}),
			[]string{"slow", "changed", "make slow"},
			[]string{"next", "changed", "make next"})
	})
}

// What may be so from an earlier pass is looked at though a need is not so, and
// nothing of it is done.
func TestLasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan.Plan{
			step(failing("need", errBoom)),
			step(&fake{id: "done before"}, "need"),
			step(&fake{id: "after it"}, "done before"),
			step(soAfter("to do", plan.Safe, nil), "need"),
			step(failing("on its way", &plan.NotYet{For: "a start"}), "need"),
			step(failing("broken", errors.New("it is gone")), "need"),
		}
		for _, i := range []int{1, 3, 4, 5} {
			p[i].Lasting = true
		}
		for _, max := range []plan.Risk{plan.Safe, plan.Nothing} {
			want(t, run(t, t.Context(), p, Options{Max: max}),
				[]string{"need", "failed", "error: " + errBoom.Error()},
				[]string{"done before", "ok"},
				[]string{"after it", "ok"},
				[]string{"to do", "blocked", "error: needs need (failed)"},
				[]string{"on its way", "blocked", "error: needs need (failed)"},
				[]string{"broken", "blocked", "error: needs need (failed); it is gone"},
			)
		}
	})
}

// The code of a step is told what its walk may do at most.
func TestStepsAreToldWhatIsAllowed(t *testing.T) {
	for _, max := range []plan.Risk{plan.Nothing, plan.Safe, plan.Disrupts} {
		var told plan.Risk = -1
		asks := &fake{id: "asks", check: func(ctx context.Context, _ int) ([]plan.Change, error) {
			told = plan.Allowed(ctx)
			return nil, nil
		}}
		if run(t, t.Context(), plan.Plan{step(asks)}, Options{Max: max}); told != max {
			t.Errorf("%s was told as %s", max, told)
		}
	}
	if got := plan.Allowed(t.Context()); got != plan.Nothing {
		t.Errorf("without a walk %s is allowed", got)
	}
}

// On hears of each step once, from the goroutine that called Run, and a slow
// listener does not keep the next step from starting.
func TestOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard []string // no lock: the race detector watches
		p := plan.Plan{step(&fake{id: "c"}, "b"), step(&fake{id: "b"}, "a"), step(&fake{id: "a"}), step(failing("x", errBoom)), step(&fake{id: "y"}, "x")}
		r := run(t, t.Context(), p, Options{Max: plan.Safe, On: func(i int, r Result) {
			heard = append(heard, p[i].ID()+" "+string(r.State))
			if r.Step.ID() == "a" {
				time.Sleep(time.Hour)
			}
		}})
		count := map[string]int{}
		for _, h := range heard {
			count[h]++
		}
		if d := cmp.Diff(map[string]int{"a ok": 1, "b ok": 1, "c ok": 1, "x failed": 1, "y blocked": 1}, count); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
		if b := r.Results[1]; b.Start != 0 {
			t.Errorf("b began %v late because a's listener slept", b.Start)
		}
	})
}

func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errStop := errors.New("the agent is told to stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		obedient := &fake{id: "obedient", check: func(ctx context.Context, _ int) ([]plan.Change, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		p := plan.Plan{
			step(obedient),
			step(failing("waiting", &plan.NotYet{For: "a disk"})),
			step(&fake{id: "next"}, "obedient"),
			step(soAfter("half", plan.Safe, func(ctx context.Context) error { time.Sleep(1500 * time.Millisecond); return nil })),
			step(&fake{id: "after half"}, "half"),
		}
		time.AfterFunc(time.Second, func() { cancel(errStop) })
		r := run(t, ctx, p, Options{Max: plan.Safe})
		want(t, r,
			[]string{"obedient", "failed", "error: the agent is told to stop: context canceled"},
			[]string{"waiting", "failed", "error: the agent is told to stop: waiting for a disk"},
			[]string{"next", "blocked", "error: needs obedient (failed)"},
			[]string{"half", "changed", "make half"},
			[]string{"after half", "blocked", "error: stopped before its turn: the agent is told to stop"},
		)
		if !errors.Is(r.Results[0].Err, errStop) || !errors.Is(r.Results[4].Err, errStop) {
			t.Error("the cause cannot be found in the errors")
		}
		if r.Took > 2*time.Second {
			t.Errorf("a cancelled walk took %v", r.Took)
		}
	})
}

// What a step comes after holds it up until it has ended, and no longer: a
// failure or a block keeps it from nothing, and a wait that others end is waited
// for.
func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := failing("volumes", &plan.NotYet{For: "volume vol-a"})
		p := plan.Plan{
			step(&fake{id: "array"}),
			step(&fake{id: "mount"}, "array"),
			step(late),
			step(&fake{id: "blocked"}, "volumes"),
			step(&fake{id: "last"}),
		}
		p[0].After = []string{"volumes", "volumes"}
		p[2].Within = 5 * time.Second
		p[4].Needs, p[4].After = []string{"array"}, []string{"array", "blocked"}
		r := run(t, t.Context(), p, Options{Max: plan.Disrupts})
		want(t, r,
			[]string{"array", "ok"},
			[]string{"mount", "ok"},
			[]string{"volumes", "failed", "error: not so within 5s: waiting for volume vol-a"},
			[]string{"blocked", "blocked", "error: needs volumes (failed)"},
			[]string{"last", "ok"})
		if got := r.Results[0].Start; got != 5*time.Second {
			t.Errorf("the array was looked at after %v, its volumes had 5s", got)
		}
	})
}

// A dry run waits for nothing, so what came too early is no fault.
func TestAfterInADryRun(t *testing.T) {
	p := plan.Plan{
		step(failing("volumes", &plan.NotYet{For: "volume vol-a"})),
		step(failing("array", errBoom)),
	}
	p[1].After = []string{"volumes"}
	want(t, run(t, t.Context(), p, Options{}),
		[]string{"volumes", "unknown", "error: waiting for volume vol-a"},
		[]string{"array", "unknown", "error: cannot be seen before what it needs is so: volumes (unknown): boom"})
}
