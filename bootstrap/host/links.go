package host

import (
	"context"
	"fmt"
	"net/netip"
)

// Link is a network interface.
type Link struct {
	Name    string
	MAC     string // lower case, with colons; "" where it has none
	Virtual bool   // made by software: loopback, a veth, a bridge, a tunnel
}

// Links is the part of the kernel's network that the agent needs. It is told
// of changes by the kernel and looks at nothing in between.
type Links interface {
	// Addresses calls on for each interface that has gained or lost an address
	// of more than its own link, from one goroutine, until ctx ends. The error
	// is nil then, and else says why nothing more will be told.
	Addresses(ctx context.Context, on func(Link)) error
	// AwaitRoute returns once the kernel knows a way to one of the addresses;
	// the error says why it knows none at ctx's end.
	AwaitRoute(ctx context.Context, to []netip.Addr) error
}

// Links is the machine's network.
func (h *Host) Links() Links { return h.links }

func (offline) Addresses(context.Context, func(Link)) error    { return ErrOffline }
func (offline) AwaitRoute(context.Context, []netip.Addr) error { return ErrOffline }

// noRoute says what was waited for, and for how long.
func noRoute(ctx context.Context, to []netip.Addr, last error) error {
	return fmt.Errorf("no way to %v appeared (%w): %w", to, context.Cause(ctx), last)
}
