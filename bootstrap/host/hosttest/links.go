package hosttest

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"reveille/bootstrap/host"
)

// links is the machine's network: whether there is a way out, and who is told
// of addresses.
type links struct {
	mu     sync.Mutex
	routed chan struct{} // closed while there is a way to everything
	on     map[int]func(host.Link)
	joined int
}

func newLinks() *links {
	l := &links{routed: make(chan struct{}), on: map[int]func(host.Link){}}
	close(l.routed)
	return l
}

// Unroute takes the way to everything away; Route gives it back.
func (m *Machine) Unroute() {
	m.links.mu.Lock()
	defer m.links.mu.Unlock()
	m.links.routed = make(chan struct{})
}

// Route makes a way to everything, which a new machine has.
func (m *Machine) Route() {
	m.links.mu.Lock()
	defer m.links.mu.Unlock()
	close(m.links.routed)
}

// ChangeAddress tells whoever listens that an interface has gained or lost an
// address. It returns when they have been told.
func (m *Machine) ChangeAddress(l host.Link) {
	m.links.mu.Lock()
	defer m.links.mu.Unlock()
	for _, on := range m.links.on {
		on(l)
	}
}

// Addresses tells what ChangeAddress is told.
func (l *links) Addresses(ctx context.Context, on func(host.Link)) error {
	l.mu.Lock()
	l.joined++
	n := l.joined
	l.on[n] = on
	l.mu.Unlock()
	<-ctx.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.on, n)
	return nil
}

// AwaitRoute returns when there is a way to everything.
func (l *links) AwaitRoute(ctx context.Context, to []netip.Addr) error {
	l.mu.Lock()
	routed := l.routed
	l.mu.Unlock()
	select {
	case <-routed:
		return nil
	default:
	}
	select {
	case <-routed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no way to %v: %w", to, context.Cause(ctx))
	}
}
