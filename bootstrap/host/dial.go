package host

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Dialer opens network connections.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial opens a connection from the machine, "tcp" and "127.0.0.1:3306". Under
// another root it is ErrOffline: what answers here says nothing of a machine
// that lies in a folder.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := h.dialer.DialContext(ctx, network, address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // its own text would name the address again
		}
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return c, nil
}

func (offline) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, ErrOffline
}
