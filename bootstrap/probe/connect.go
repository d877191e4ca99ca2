package probe

import (
	"context"
	"net"
	"net/netip"
	"time"

	"reveille/bootstrap/host"
)

// connect tries a name's addresses in turn, each for its share of the time.
// Without a resolver they are found by the machine's own resolv.conf.
func connect(ctx context.Context, h *host.Host, r *Resolver, name, port string) (net.Conn, error) {
	if r == nil {
		return h.Dial(ctx, "tcp", net.JoinHostPort(name, port))
	}
	addresses, err := r.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	for i, a := range addresses {
		var c net.Conn
		if c, err = dial(ctx, h, a, port, len(addresses)-i); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func dial(ctx context.Context, h *host.Host, a netip.Addr, port string, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(left))
		defer cancel()
	}
	return h.Dial(ctx, "tcp", net.JoinHostPort(a.String(), port))
}
