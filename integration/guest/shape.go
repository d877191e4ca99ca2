package guest

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// shape is what the fabric does to packets from the machine. It is written
// whole at every change.
type shape struct {
	drop, reject []string          // addresses
	divert       map[string]string // an address, and who answers there
	hold         bool              // no DHCP
	lossy        int               // percent, both ways
	rate         string            // "100 kbytes/second", from the machine; "" is free
}

func (s shape) rules() string {
	var in, out, to strings.Builder
	if len(s.divert) > 0 { // a kernel may filter packets and not divert them
		fmt.Fprintf(&to, "chain to { type nat hook prerouting priority dstnat\niifname != %q accept\n", bridge)
		for _, a := range slices.Sorted(maps.Keys(s.divert)) {
			fmt.Fprintf(&to, "ip daddr %s dnat ip to %s\n", a, s.divert[a])
		}
		to.WriteString("}\n")
	}
	for _, a := range s.drop {
		fmt.Fprintf(&in, "ip daddr %s drop\n", a)
	}
	for _, a := range s.reject {
		fmt.Fprintf(&in, "ip daddr %s meta l4proto tcp reject with tcp reset\nip daddr %[1]s reject\n", a)
	}
	if s.hold {
		in.WriteString("udp dport 67 drop\n")
	}
	switch {
	case s.lossy >= 100: // which numgen takes for no number
		in.WriteString("drop\n")
		out.WriteString("drop\n")
	case s.lossy > 0:
		fmt.Fprintf(&in, "numgen random mod 100 < %d drop\n", s.lossy)
		fmt.Fprintf(&out, "numgen random mod 100 < %d drop\n", s.lossy)
	}
	if s.rate != "" {
		fmt.Fprintf(&in, "limit rate over %s drop\n", s.rate)
	}
	return fmt.Sprintf(`table inet shape
delete table inet shape
table inet shape {
chain in { type filter hook input priority 0
iifname != %[1]q accept
%[2]s}
chain out { type filter hook output priority 0
oifname != %[1]q accept
%[3]s}
%[4]s}
`, bridge, in.String(), out.String(), to.String())
}

func (f *Fabric) reshape(change func(*shape)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.shape
	next.drop, next.reject, next.divert = slices.Clone(next.drop), slices.Clone(next.reject), maps.Clone(next.divert)
	change(&next)
	cmd := exec.Command("ip", "netns", "exec", f.name, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(next.rules())
	if err := run(cmd); err != nil {
		return fmt.Errorf("shape the machine's network: %w", err)
	}
	f.shape = next
	return nil
}

// Drop makes an address a black hole; the fabric gets it if it has it not.
func (f *Fabric) Drop(address string) error {
	if err := f.Add(address); err != nil {
		return err
	}
	return f.reshape(func(s *shape) { s.drop = append(without(s.drop, address), address) })
}

// Reject makes an address refuse everything; the fabric gets it if need be.
func (f *Fabric) Reject(address string) error {
	if err := f.Add(address); err != nil {
		return err
	}
	return f.reshape(func(s *shape) { s.reject = append(without(s.reject, address), address) })
}

// Divert has another address of the fabric answer what the machine sends to one.
func (f *Fabric) Divert(address, to string) error {
	if err := errors.Join(f.Add(address), f.Add(to)); err != nil {
		return err
	}
	return f.reshape(func(s *shape) {
		if s.divert == nil {
			s.divert = map[string]string{}
		}
		s.divert[address] = to
	})
}

// Undrop takes Drop, Reject and Divert of an address back.
func (f *Fabric) Undrop(address string) error {
	return f.reshape(func(s *shape) {
		s.drop, s.reject = without(s.drop, address), without(s.reject, address)
		delete(s.divert, address)
	})
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(all, func(a string) bool { return a == one })
}

// Hold keeps leases back until Release: a network whose route appears late.
func (f *Fabric) Hold() error { return f.reshape(func(s *shape) { s.hold = true }) }

// Release takes Hold back. The machine's DHCP client asks again in its own time.
func (f *Fabric) Release() error { return f.reshape(func(s *shape) { s.hold = false }) }

// Lossy loses so many percent of the packets, both ways.
func (f *Fabric) Lossy(percent int) error { return f.reshape(func(s *shape) { s.lossy = percent }) }

// Rate bounds what the machine sends ("100 kbytes/second"); "" frees it.
func (f *Fabric) Rate(limit string) error { return f.reshape(func(s *shape) { s.rate = limit }) }

// Cut takes the machine's carrier away, Join gives it back.
func (f *Fabric) Cut() error { return f.carrier(false) }

// Join is the end of Cut.
func (f *Fabric) Join() error { return f.carrier(true) }

func (f *Fabric) carrier(up bool) error {
	if f.setLink != nil {
		return f.setLink(up)
	}
	dev, err := f.nl.LinkByName(f.port)
	if err != nil {
		return fmt.Errorf("find the machine's cable: %w", err)
	}
	if up {
		return f.nl.LinkSetUp(dev)
	}
	return f.nl.LinkSetDown(dev)
}
