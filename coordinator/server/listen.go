package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ErrAddress is what Listen answers for an address that this version may not
// or cannot serve: an error of usage.
var ErrAddress = errors.New("listen address")

// Listen listens on HOST:PORT, where HOST is a loopback address or a name that
// leads to nothing else. Any other is refused: whoever could reach it could
// report for any machine, until there is authentication.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w; want HOST:PORT", ErrAddress, address, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("%w %q: port %q is no number from 0 to 65535", ErrAddress, address, port)
	} else {
		port = strconv.FormatUint(n, 10)
	}
	ip, err := loopback(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrAddress, address, err)
	}
	// The address that was looked at, not the name: it could lead elsewhere now.
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(ip.String(), port))
	if err != nil {
		return nil, fmt.Errorf("%w; --listen HOST:PORT names another address", err)
	}
	return l, nil
}

// loopback is the address of host, if it is this machine and nothing more.
func loopback(ctx context.Context, host string) (netip.Addr, error) {
	const remedy = "this version has no TLS and no authentication, so it serves 127.0.0.1, [::1] and localhost only"
	if host == "" {
		return netip.Addr{}, fmt.Errorf("without a host it means every address; %s", remedy)
	}
	addrs := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, ip)
	} else if addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
		return netip.Addr{}, fmt.Errorf("look up %s: %w", host, err)
	}
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() {
			return netip.Addr{}, fmt.Errorf("%s is not a loopback address; %s", a.Unmap(), remedy)
		}
	}
	return addrs[0].Unmap(), nil
}

// ownHost says whether a request's Host header names this machine. A browser
// that was led here by a foreign name (DNS rebinding) would let that name's
// pages read the fleet.
func ownHost(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
