package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// network is a network of the test's own: one interface, no address.
type network struct {
	*netlink.Handle
	t    *testing.T
	ns   netns.NsHandle
	eth0 netlink.Link
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("a network namespace needs root")
		}
		t.Skip("a network namespace needs root")
	}
	n := &network{t: t}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its namespace
		var err error
		n.ns, err = netns.New()
		made <- err
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	var err error
	if n.Handle, err = netlink.NewHandleAt(n.ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close(); n.ns.Close() })
	n.eth0 = n.pair("eth0")
	return n
}

// pair makes an interface, of a kind that every kernel has, with its other end.
func (n *network) pair(name string) netlink.Link {
	n.t.Helper()
	peer := name + "-peer"
	l := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: peer}
	n.must(n.LinkAdd(l), n.LinkSetUp(l))
	other, err := n.LinkByName(peer)
	n.must(err, n.LinkSetUp(other))
	made, err := n.LinkByName(name)
	n.must(err)
	return made
}

func (n *network) must(errs ...error) {
	n.t.Helper()
	if err := errors.Join(errs...); err != nil {
		n.t.Fatal(err)
	}
}

// onLink adds an address that is valid on its link alone.
func (n *network) onLink(l netlink.Link, a *netlink.Addr) error {
	a.Scope = int(netlink.SCOPE_LINK)
	return n.AddrAdd(l, a)
}

func (n *network) address(l netlink.Link, a string, do func(netlink.Link, *netlink.Addr) error) {
	n.t.Helper()
	parsed, err := netlink.ParseAddr(a)
	n.must(err, do(l, parsed))
}

// in runs f in the network, on a thread of its own.
func (n *network) in(f func()) {
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(n.ns); err != nil {
			panic(err)
		}
		f()
	}()
}

// listen tells every change; the channel has room for all of a test.
func (n *network) listen() <-chan Link {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	told, ended := make(chan Link, 10000), make(chan error)
	n.in(func() { ended <- kernelLinks{}.Addresses(ctx, func(l Link) { told <- l }) })
	n.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			n.t.Error(err)
		}
	})
	// It listens once it tells of this.
	probe := n.pair("probe")
	for {
		n.address(probe, "192.0.2.1/24", n.AddrAdd)
		n.address(probe, "192.0.2.1/24", n.AddrDel)
		select {
		case <-told:
			n.must(n.LinkDel(probe))
			n.settle(told, probe.Attrs().Name)
			return told
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// settle waits until what has happened has been told: the kernel tells in
// order, so the last of it is a mark. It returns whom else it was told of.
func (n *network) settle(told <-chan Link, but ...string) map[string]int {
	n.t.Helper()
	mark := n.pair("mark")
	n.address(mark, "192.0.2.9/24", n.AddrAdd)
	defer func() { n.must(n.LinkDel(mark)) }()
	seen := map[string]int{}
	for {
		select {
		case l := <-told:
			switch {
			case l.MAC == mark.Attrs().HardwareAddr.String():
				return seen
			case l.Name != "mark" && !strings.Contains(strings.Join(but, " "), l.Name):
				seen[l.Name]++
			}
		case <-time.After(20 * time.Second):
			n.t.Fatalf("nothing was told of the mark; before it: %v", seen)
		}
	}
}

func TestAddressesAreToldWhenTheyChange(t *testing.T) {
	n := newNetwork(t)
	n.address(n.eth0, "10.9.0.4/16", n.AddrAdd)
	told := n.listen()
	for _, c := range []struct {
		what string
		do   func()
		want int
	}{
		{"it gains one", func() { n.address(n.eth0, "10.0.0.5/16", n.AddrAdd) }, 1},
		{"its lease is renewed", func() {
			a, _ := netlink.ParseAddr("10.0.0.5/16")
			a.ValidLft, a.PreferedLft = 3600, 3600
			n.must(n.AddrReplace(n.eth0, a))
		}, 0},
		{"one of the link alone", func() { n.address(n.eth0, "169.254.7.7/16", n.onLink) }, 0},
		{"an IPv6 one", func() { n.address(n.eth0, "2001:db8::5/64", n.AddrAdd) }, 1},
		{"it loses the one that was there", func() { n.address(n.eth0, "10.9.0.4/16", n.AddrDel) }, 1},
	} {
		c.do()
		seen := n.settle(told)
		if seen["eth0"] != c.want || len(seen) > 1 {
			t.Errorf("%s: told of %v, want eth0 %d times", c.what, seen, c.want)
		}
	}
}

// Containers come and go without an address on this side, and nobody is told:
// there is nothing to wake for.
func TestAContainersInterfacesWakeNobody(t *testing.T) {
	n := newNetwork(t)
	told := n.listen()
	const veths = 500
	for i := range veths {
		v := n.pair(fmt.Sprintf("veth%d", i))
		if i%2 == 0 {
			n.must(n.LinkDel(v))
		}
	}
	if seen := n.settle(told); len(seen) > 0 {
		t.Errorf("told of %v", seen)
	}
	// One that has an address is told as what it is: made by software.
	v := n.pair("docker0")
	n.address(v, "172.17.0.1/16", n.AddrAdd)
	l := <-told
	for l.Name == "mark" { // its end
		l = <-told
	}
	if !l.Virtual || l.MAC != v.Attrs().HardwareAddr.String() {
		t.Errorf("told of %+v", l)
	}
}

func TestTheWaitForARouteEndsWithIt(t *testing.T) {
	n := newNetwork(t)
	imds := []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	n.in(func() { close(begun); ended <- kernelLinks{}.AwaitRoute(ctx, imds) })
	<-begun
	n.address(n.eth0, "10.0.0.5/16", n.AddrAdd) // no way there yet
	select {
	case err := <-ended:
		t.Fatalf("it ended without a route: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	n.must(n.RouteAdd(&netlink.Route{LinkIndex: n.eth0.Attrs().Index, Gw: netip.MustParseAddr("10.0.0.1").AsSlice()}))
	if err := <-ended; err != nil {
		t.Error(err)
	}

	// There already: it ends at once. Taken away: it says why at its end.
	n.in(func() { ended <- kernelLinks{}.AwaitRoute(ctx, imds) })
	if err := <-ended; err != nil {
		t.Error(err)
	}
	n.must(n.LinkDel(n.eth0))
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	n.in(func() { ended <- kernelLinks{}.AwaitRoute(short, imds) })
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "169.254.169.254") {
		t.Errorf("it ended with %v", err)
	}
}

// What the kernel had no room to tell is found by looking, and only what is
// different is told.
func TestLostChangesAreFound(t *testing.T) {
	n := newNetwork(t)
	n.address(n.eth0, "10.0.0.5/16", n.AddrAdd)
	idle := n.pair("idle")
	n.address(idle, "10.9.0.5/16", n.AddrAdd)
	told := make(chan []string)
	n.in(func() {
		var names []string
		table := addressTable{links: map[int]*addressed{}, on: func(Link) {}}
		err := table.relist()
		table.on = func(l Link) { names = append(names, l.Name) }
		n.address(n.eth0, "10.0.0.6/16", n.AddrAdd)
		if err = errors.Join(err, table.relist(), table.relist()); err != nil {
			names = append(names, err.Error())
		}
		told <- names
	})
	if got := <-told; len(got) != 1 || got[0] != "eth0" {
		t.Errorf("told of %q", got)
	}
}
