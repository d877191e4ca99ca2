package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// kernelLinks is the real network, by netlink.
type kernelLinks struct{}

// AwaitRoute asks again whenever a route or a rule changes. It listens before
// it asks, so that no change falls between the two.
func (kernelLinks) AwaitRoute(ctx context.Context, to []netip.Addr) error {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
		unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return fmt.Errorf("listen for routes to %v: %w", to, err)
	}
	stop := context.AfterFunc(ctx, s.Close)
	defer func() {
		if stop() {
			s.Close()
		}
	}()
	for {
		last := routeToAny(to)
		if last == nil {
			return nil
		}
		_, _, err := s.Receive()
		switch {
		case ctx.Err() != nil:
			return noRoute(ctx, to, last)
		case err != nil && !errors.Is(err, unix.ENOBUFS): // lost changes are changes
			return fmt.Errorf("listen for routes to %v: %w", to, err)
		}
	}
}

// routeToAny is nil where the kernel knows a way to one of them.
func routeToAny(to []netip.Addr) error {
	var all []error
	for _, a := range to {
		_, err := netlink.RouteGet(a.AsSlice())
		if err == nil {
			return nil
		}
		all = append(all, fmt.Errorf("%s: %w", a, err))
	}
	return errors.Join(all...)
}

// Addresses listens for addresses alone: interfaces that come and go by the
// hundred without one of them, as containers' do, wake nobody.
func (kernelLinks) Addresses(ctx context.Context, on func(Link)) error {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	if err != nil {
		return fmt.Errorf("listen for addresses: %w", err)
	}
	stop := context.AfterFunc(ctx, s.Close)
	defer func() {
		if stop() {
			s.Close()
		}
	}()
	t := addressTable{links: map[int]*addressed{}, on: func(Link) {}}
	if err := t.relist(); err != nil {
		return err
	}
	t.on = on
	for {
		messages, from, err := s.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			// The kernel had more to say than there was room for; what it said
			// is in how things are now.
			err = t.relist()
		case err == nil && from.Pid == nl.PidKernel:
			for _, m := range messages {
				t.message(m)
			}
		}
		if err != nil {
			return fmt.Errorf("listen for addresses: %w", err)
		}
	}
}

// addressTable is which addresses there are. The kernel also tells of one that
// is renewed, every few minutes, and that is no change.
type addressTable struct {
	links map[int]*addressed // by interface number
	on    func(Link)
}

type addressed struct {
	Link
	has map[netip.Addr]bool
}

// set notes an address that is there or not, and tells of it if that is news.
// An interface that is gone before it could be looked at is of no interest.
func (t *addressTable) set(index int, a netip.Addr, there bool) {
	l := t.links[index]
	switch {
	case l == nil && !there, l != nil && l.has[a] == there:
		return
	case l == nil:
		link, err := linkOf(index)
		if err != nil {
			return
		}
		l = &addressed{Link: link, has: map[netip.Addr]bool{}}
		t.links[index] = l
	}
	if there {
		l.has[a] = true
	} else if delete(l.has, a); len(l.has) == 0 {
		delete(t.links, index)
	}
	t.on(l.Link)
}

// relist reads how things are, and tells of what is different.
func (t *addressTable) relist() error {
	var all []netlink.Addr
	err := error(netlink.ErrDumpInterrupted)
	for errors.Is(err, netlink.ErrDumpInterrupted) { // a list that changed while it was read
		all, err = netlink.AddrList(nil, netlink.FAMILY_ALL)
	}
	if err != nil {
		return fmt.Errorf("list the addresses: %w", err)
	}
	there := map[int]map[netip.Addr]bool{}
	for _, a := range all {
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok || a.Scope != unix.RT_SCOPE_UNIVERSE || temporary(ip, uint32(a.Flags)) {
			continue
		}
		if there[a.LinkIndex] == nil {
			there[a.LinkIndex] = map[netip.Addr]bool{}
		}
		there[a.LinkIndex][ip.Unmap()] = true
		t.set(a.LinkIndex, ip.Unmap(), true)
	}
	for index, l := range t.links {
		for a := range l.has {
			if !there[index][a] {
				t.set(index, a, false)
			}
		}
	}
	return nil
}

// message reads one of the kernel's. Addresses that are valid on their link
// alone, and IPv6's temporary ones, are nothing that a machine is known by.
func (t *addressTable) message(m syscall.NetlinkMessage) {
	if m.Header.Type != unix.RTM_NEWADDR && m.Header.Type != unix.RTM_DELADDR || len(m.Data) < unix.SizeofIfAddrmsg {
		return
	}
	about := nl.DeserializeIfAddrmsg(m.Data)
	if about.Scope != unix.RT_SCOPE_UNIVERSE {
		return
	}
	attributes, err := nl.ParseRouteAttrAsMap(m.Data[about.Len():])
	if err != nil {
		return
	}
	flags := uint32(about.Flags)
	if f, ok := attributes[unix.IFA_FLAGS]; ok && len(f.Value) == 4 {
		flags = nl.NativeEndian().Uint32(f.Value)
	}
	own, ok := attributes[unix.IFA_LOCAL] // of a point-to-point link the other is the peer's
	if !ok {
		own, ok = attributes[unix.IFA_ADDRESS]
	}
	if a, valid := netip.AddrFromSlice(own.Value); ok && valid && !temporary(a, flags) {
		t.set(int(about.Index), a.Unmap(), m.Header.Type == unix.RTM_NEWADDR)
	}
}

// temporary says that it is one of IPv6's; of an IPv4 address the same bit says
// that it is not the interface's first.
func temporary(a netip.Addr, flags uint32) bool {
	return !a.Unmap().Is4() && flags&unix.IFA_F_TEMPORARY != 0
}

func linkOf(index int) (Link, error) {
	l, err := netlink.LinkByIndex(index)
	if err != nil {
		return Link{}, err
	}
	a := l.Attrs()
	return Link{Name: a.Name, MAC: a.HardwareAddr.String(),
		Virtual: a.Flags&net.FlagLoopback != 0 || l.Type() != "device"}, nil
}
