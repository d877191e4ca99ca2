package daemon

import (
	"slices"
	"time"

	"reveille/bootstrap/plan"
)

// timerWait bounds a step of a pass that nobody asked for.
const timerWait = 10 * time.Second

// hasty is the plan with its waiting bounded: the lock is held meanwhile, and a
// ready check may wait for minutes on a database that is down, while a person
// wants to pause, restore or boot.
func hasty(steps plan.Plan) plan.Plan {
	out := slices.Clone(steps)
	for i := range out {
		if out[i].Within == 0 || out[i].Within > timerWait {
			out[i].Within = timerWait
		}
	}
	return out
}
