package roles

import (
	"context"
	"errors"

	"reveille/bootstrap/plan"
)

// withheld stands in a plan for what must not be touched, and says why. H is the
// machine that it never looks at.
type withheld[H any] struct{ id, why string }

// withhold makes one; the check is for its type alone, as in await.
func withhold[H any](_ func(plan.Resource, context.Context, H) ([]plan.Change, error), id, why string) withheld[H] {
	return withheld[H]{id, why}
}

func (r withheld[H]) ID() string { return r.id }

// Live is true: a machine in a folder has no disks.
func (r withheld[H]) Live() bool { return true }

func (r withheld[H]) Check(context.Context, H) ([]plan.Change, error) {
	return nil, errors.New(r.why)
}

// Describe says why, for golden plans.
func (r withheld[H]) Describe() string { return "withheld: " + r.why + "\n" }
