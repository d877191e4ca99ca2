package hosttest

import (
	"context"
	"net"
	"syscall"
)

// Forward lets the machine's address lead to a listener of the test's, "" to
// none. An address that leads nowhere refuses every connection.
func (m *Machine) Forward(address, to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forwards[address] = to
}

// dialDoor is the machine as host.Dialer.
type dialDoor struct{ m *Machine }

func (d dialDoor) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d.m.mu.Lock()
	to := d.m.forwards[address]
	d.m.mu.Unlock()
	if to == "" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}
