package facts

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// names are the name servers that EC2's address is asked of.
type names struct {
	machine *net.Resolver // as resolv.conf says
	vpc     *net.Resolver // the one at the same address in every VPC
	within  time.Duration // for each
}

// vpcNames answers in every VPC whose DNS is not switched off. It is asked for
// AWS's own names alone, where the machine's servers do not tell.
const vpcNames = "169.254.169.253:53"

// namesAt has the VPC's at an address.
func namesAt(vpc string, within time.Duration) names {
	return names{machine: resolver(""), vpc: resolver(vpc), within: within}
}

// resolver asks one server, or those of resolv.conf where none is given. A
// query of the runtime's outlives the wait for it by seconds; this one is ended.
func resolver(at string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, server string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, cmp.Or(at, server))
		if err == nil {
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}}
}

// ec2Dialer connects to EC2 by its name, which it learns once.
type ec2Dialer struct {
	net.Dialer
	names names
	own   bool // the name is AWS's own

	mu    sync.Mutex
	known []netip.Addr
}

// DialContext is what an http.Transport wants.
func (d *ec2Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	all, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	for _, a := range all {
		conn, err = d.Dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			break
		}
	}
	return conn, err // the last one's: joined, they would not tell a time-out from others
}

func (d *ec2Dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known != nil {
		return d.known, nil
	}
	var err error
	if d.known, err = d.names.lookup(ctx, d.names.machine, host); err != nil && d.own {
		d.known, err = d.names.lookup(ctx, d.names.vpc, host)
	}
	return d.known, err
}

func (n names) lookup(ctx context.Context, r *net.Resolver, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, n.within)
	defer cancel()
	return r.LookupNetIP(ctx, "ip", host)
}
