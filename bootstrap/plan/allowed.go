package plan

import "context"

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
