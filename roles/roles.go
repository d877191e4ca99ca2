package roles

import (
	"errors"
	"fmt"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

// concerns is the visible list, in the order in which steps are reported. A
// new concern is one file and one line here.
func concerns() []Concern {
	return []Concern{
		{"naming", planNaming},
		{"resolver", planResolver},
		{"nameservice", planNameservice},
		{"directory", planDirectory},
		{"pam", planPAM},
		{"nscd", planNscd},
		{"autofs", planAutofs},
		{"updatedb", planUpdatedb},
		{"ganglia", planGanglia},
		{"storage", planStorage},
		{"scripts", planScripts},
		{"services", planServices},
		{"ready", planReady},
	}
}

// Plan is everything that the profile asks of a machine with these facts, and
// the undoing of what nothing asks for any more. It is pure: the same facts
// and profile give the same plan, on any machine.
//
// An error tells what every concern refuses, joined; there is no plan then,
// since half of one is not what anybody asked for.
func Plan(f facts.Facts, p Profile) (plan.Plan, error) {
	var out plan.Plan
	var errs []error
	for _, c := range concerns() {
		steps, err := c.Plan(f, p)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, err))
		}
		for i := range steps {
			if a, ok := steps[i].Resource.(interface{ within() time.Duration }); ok {
				steps[i].Within = a.within()
			}
		}
		out = append(out, steps...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out = append(out, undo(f, out)...)
	if err := out.Validate(); err != nil {
		return nil, fmt.Errorf("the plan contradicts itself, which is a fault of this program and not of the profile: %w", err)
	}
	return out, nil
}
