package roles

import (
	"context"

	"reveille/bootstrap/plan"
)

// left stands in a plan for what nothing here decides, so that the report says
// so. It asks for nothing: even the present value would be a decision, taken
// from facts that may be older than the machine's. H is the machine that it
// never looks at.
type left[H any] struct{ id string }

// leave makes one. The check is plan.Resource.Check, for its type alone, as of
// await.
func leave[H any](_ func(plan.Resource, context.Context, H) ([]plan.Change, error), id string) left[H] {
	return left[H]{id}
}

func (l left[H]) ID() string { return l.id }

func (l left[H]) Check(context.Context, H) ([]plan.Change, error) { return nil, nil }

// Describe says that nothing is wanted, for golden plans.
func (l left[H]) Describe() string { return "left as it is\n" }
