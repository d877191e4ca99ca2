package guest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Addresses that every fabric has, as a VPC does.
const (
	Gateway  = "10.0.0.1"
	Resolver = "10.0.0.2"
	// SecondResolver is the same resolver once more, where a case wants two.
	SecondResolver = "10.0.0.3"
	// RoleResolver and OtherRoleResolver are it as well, for the role files of
	// the cases: a name server that does not answer would not be written.
	RoleResolver      = "10.0.0.53"
	OtherRoleResolver = "10.0.0.54"
	Metadata          = "169.254.169.254"
	// Lease is what the machine's own DHCP client gets, until Fabric.Address.
	Lease = "10.0.0.5"
	// MAC is the machine's primary interface's.
	MAC = "02:00:00:00:00:05"
)

const (
	netnsFolder = "/run/netns"
	prefix      = "reveille-" // of the namespaces' names; then the process id and a count
	bridge      = "br0"
)

// Fabric is the network of one case: a subnet in a namespace of its own, which
// this computer's own network does not touch. The far end of everything that
// the machine talks to is in it. Close it.
type Fabric struct {
	name  string
	ns    netns.NsHandle
	nl    *netlink.Handle
	dhcp  *dhcp
	plugs int

	mu    sync.Mutex
	shape shape
	// setLink makes the machine see its cable unplugged, where a kind of
	// machine has its own way to do so.
	setLink func(up bool) error
	port    string // the machine's place on the bridge, "" before it has one
}

var fabrics atomic.Int64

// NewFabric makes the network and begins to give out leases. It needs root.
func NewFabric() (*Fabric, error) {
	if err := removeLeftovers(); err != nil {
		return nil, err
	}
	f := &Fabric{name: fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), fabrics.Add(1))}
	if err := f.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("make a network for a machine: %w", err), f.Close())
	}
	return f, nil
}

func (f *Fabric) open() (err error) {
	if err := run(exec.Command("ip", "netns", "add", f.name)); err != nil {
		return err
	}
	if f.ns, err = netns.GetFromName(f.name); err != nil {
		return err
	}
	if f.nl, err = netlink.NewHandleAt(f.ns); err != nil {
		return err
	}
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}
	if err := f.nl.LinkAdd(br); err != nil {
		return fmt.Errorf("add a bridge: %w", err)
	}
	lo, err := f.nl.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := errors.Join(f.nl.LinkSetUp(br), f.nl.LinkSetUp(lo)); err != nil {
		return err
	}
	for _, a := range []string{Gateway + "/16", Resolver, SecondResolver, RoleResolver, OtherRoleResolver, Metadata} {
		if err := f.Add(a); err != nil {
			return err
		}
	}
	f.dhcp, err = startDHCP(f)
	return err
}

// Add gives the fabric one more address, "10.0.0.4", for a server of the case.
// An address that it has is no error.
func (f *Fabric) Add(address string) error {
	if !strings.Contains(address, "/") {
		address += "/32"
	}
	a, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	br, err := f.nl.LinkByName(bridge)
	if err != nil {
		return err
	}
	if err := f.nl.AddrAdd(br, a); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("give the fabric the address %s: %w", address, err)
	}
	return nil
}

// Namespace is the path of the network namespace.
func (f *Fabric) Namespace() string { return filepath.Join(netnsFolder, f.name) }

// Tap makes the place for a virtual machine's interface and returns its name in
// the namespace. Asked again it is the same place, for the machine's next boot.
func (f *Fabric) Tap() (name, namespace string, err error) {
	tap := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "tap0"}, Mode: netlink.TUNTAP_MODE_TAP}
	if _, there := f.nl.LinkByName(tap.Name); there != nil {
		// The device is made in the namespace of the thread that asks for it.
		err = f.within(func() error { return netlink.LinkAdd(tap) })
	}
	if err == nil {
		err = f.connect(tap.Name)
	}
	if err != nil {
		return "", "", fmt.Errorf("make a tap device for a machine: %w", err)
	}
	return tap.Name, f.Namespace(), nil
}

// plug makes a namespace for a container's next boot, with eth0 in it, and
// returns its path. The one of the boot before is removed.
func (f *Fabric) plug() (string, error) {
	guest := f.name + "g"
	if err := f.unplug(); err != nil {
		return "", err
	}
	if err := run(exec.Command("ip", "netns", "add", guest)); err != nil {
		return "", err
	}
	ns, err := netns.GetFromName(guest)
	if err != nil {
		return "", err
	}
	defer ns.Close()
	f.plugs++
	port := "port" + strconv.Itoa(f.plugs) // the one before goes away in its own time
	mac, err := net.ParseMAC(MAC)
	if err != nil {
		return "", err
	}
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: "eth0", PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(ns)}
	if err := f.nl.LinkAdd(veth); err != nil {
		return "", fmt.Errorf("make a machine's eth0: %w", err)
	}
	return filepath.Join(netnsFolder, guest), f.connect(port)
}

// unplug forgets the namespace of a container; it ends with its processes.
func (f *Fabric) unplug() error {
	guest := f.name + "g"
	if _, err := os.Stat(filepath.Join(netnsFolder, guest)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if f.port != "" {
		if old, err := f.nl.LinkByName(f.port); err == nil {
			_ = f.nl.LinkDel(old) // gone with its other end, or is now
		}
	}
	return run(exec.Command("ip", "netns", "del", guest))
}

// connect puts a device on the bridge.
func (f *Fabric) connect(port string) error {
	dev, err := f.nl.LinkByName(port)
	if err != nil {
		return err
	}
	br, err := f.nl.LinkByName(bridge)
	if err != nil {
		return err
	}
	f.port = port
	return errors.Join(f.nl.LinkSetMaster(dev, br), f.nl.LinkSetUp(dev))
}

// Close ends the network and whatever still runs in it.
func (f *Fabric) Close() error {
	var all []error
	if f.dhcp != nil {
		all = append(all, f.dhcp.close())
	}
	if f.nl != nil {
		all = append(all, f.unplug())
		f.nl.Close()
	}
	if f.ns.IsOpen() {
		all = append(all, f.ns.Close(), run(exec.Command("ip", "netns", "del", f.name)))
	}
	return errors.Join(all...)
}
