package daemon

import (
	"testing"

	"reveille/coordinator/api"
)

// What a timer's look finds that could grow is grown by a pass that may, and that
// is asked for once: what it could not do is no reason to ask EC2 at every look.
func TestWhatCouldGrowAsksForAPass(t *testing.T) {
	step := func(concern, state string, changes ...string) api.Step {
		return api.Step{Concern: concern, State: state, Changes: changes}
	}
	l := &loop{asks: newAsks()}
	for _, c := range []struct {
		name string
		kind Kind
		held string
		step api.Step
		want Kind
	}{
		{"nothing can", Timer, "", step("growth", "ok"), ""},
		{"something has drifted", Timer, "", step("resolver", "drifted", "write it"), ""},
		{"a brake holds it", Timer, "paused", step("growth", "drifted", "grow raid:data"), ""},
		{"a pass that may do it found it", Hup, "", step("growth", "drifted", "grow raid:data"), ""},
		{"it can", Timer, "", step("growth", "drifted", "grow raid:data"), Device},
		{"it still can", Timer, "", step("growth", "drifted", "grow raid:data"), ""},
		{"it did not", Device, "", step("growth", "failed"), ""},
		{"it still can, and did not", Timer, "", step("growth", "drifted", "grow raid:data"), ""},
		{"what lies on it can", Timer, "", step("growth", "drifted", "grow lvm:db"), Device},
		{"it has", Timer, "", step("growth", "ok"), ""},
		{"it can once more", Timer, "", step("growth", "drifted", "grow lvm:db"), Device},
	} {
		l.noteGrowth(ending{kind: c.kind, out: Outcome{Held: c.held, Report: api.Report{Steps: []api.Step{c.step}}}})
		if got := l.asks.take(); got != c.want {
			t.Errorf("%s: a pass of kind %q was asked for, want %q", c.name, got, c.want)
		}
	}
}
