package api

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// parseURL reads a coordinator's base URL and refuses what an agent could not
// report to in safety. It asks no name server.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// url.Error repeats the URL, which may hold a password.
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, fmt.Errorf("coordinator URL: %w", err)
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("coordinator URL %s: a user name or password does not belong into the URL", u.Redacted())
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, fmt.Errorf("coordinator URL %q: want https://HOST[:PORT], or http:// for a loopback address", raw)
	case u.RawQuery != "", u.Fragment != "", u.ForceQuery:
		return nil, fmt.Errorf("coordinator URL %q: it may have a path, but no query and no fragment", raw)
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		return nil, fmt.Errorf("coordinator URL %q: plain HTTP is spoken to a loopback address only; use https", raw)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// loopbackHost says whether a URL's host is this machine by its spelling
// alone. localhost counts; where it leads is checked when it is dialled.
func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// loopbackOnly is a net.Dialer.Control that refuses to leave the machine: a
// name server, or a line in /etc/hosts, may say that localhost is elsewhere.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if !loopbackHost(host) {
		return fmt.Errorf("localhost leads to %s, which is not this machine: plain HTTP is spoken to a loopback address only", host)
	}
	return nil
}
