package host

import "context"

// self is the running program, also after a package has replaced its file.
const self = "/proc/self/exe"

// Self runs this program again, with these arguments, as Run does. What may
// hang in the kernel is done there: a process that is stuck can be abandoned, a
// thread of our own never ends.
func (h *Host) Self(ctx context.Context, args ...string) (Output, error) {
	return h.Run(ctx, self, args...)
}
