package plan

import (
	"context"
	"slices"
)

type allowedKey struct{}

// WithAllowed tells a resource's code the worst change that this walk may make.
func WithAllowed(ctx context.Context, max Risk) context.Context {
	return context.WithValue(ctx, allowedKey{}, max)
}

// Allowed is the worst change that the walk around this code may make; Nothing
// where no walk said so. A look that costs more than reading, such as a
// program of somebody else's, asks for it.
func Allowed(ctx context.Context) Risk {
	max, _ := ctx.Value(allowedKey{}).(Risk)
	return max
}

// Grant is on whose word something may be created where nothing is. It never
// stands in for the proof that there is nothing.
type Grant struct {
	IfBlank bool     // the profile's own consent counts: this instance's storage has never yet been complete
	Volumes []string // these volumes' ids a person has named for this once
	Scratch []string // … and on these, which are instance store, the profile's own consent counts in this pass whatever was complete once
}

type grantKey struct{}

// WithGrant tells a resource's code what this walk may create.
func WithGrant(ctx context.Context, g Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// Granted is what the walk around this code may create; nothing where no walk
// said so.
func Granted(ctx context.Context) Grant {
	g, _ := ctx.Value(grantKey{}).(Grant)
	return g
}

// Creates says that something may be created on these volumes, all of them
// proven blank: by a person's word for each of them, or by the profile's
// consent.
func (g Grant) Creates(consent bool, volumes []string) bool {
	return within(volumes, g.Volumes) || consent && (g.IfBlank || within(volumes, g.Scratch))
}

// within says that there are some, and that all of them are among those.
func within(some, those []string) bool {
	for _, v := range some {
		if !slices.Contains(those, v) {
			return false
		}
	}
	return len(some) > 0
}
