package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// dhcp is dnsmasq in a fabric: leases for the machine, and a resolver at the
// VPC's address which knows the names that a case gives it and no other.
type dhcp struct {
	cmd   *exec.Cmd
	ended <-chan struct{}
	dir   string
	said  syncBuffer
	up    upWriter
	host  map[string]string
}

// upWriter tells once that dnsmasq has said that it runs. Before that, the
// signal by which it reads its files again would end it.
type upWriter struct {
	said *syncBuffer
	once sync.Once
	up   chan struct{}
}

func (w *upWriter) Write(p []byte) (int, error) {
	n, err := w.said.Write(p)
	if bytes.Contains(w.said.Bytes(), []byte("started, version")) {
		w.once.Do(func() { close(w.up) })
	}
	return n, err
}

func startDHCP(f *Fabric) (*dhcp, error) {
	dir, err := os.MkdirTemp("", "reveille-dhcp-")
	if err != nil {
		return nil, err
	}
	d := &dhcp{dir: dir, host: map[string]string{}}
	if err := errors.Join(d.write("leases", MAC+","+Lease+"\n"), d.write("hosts", "")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	d.cmd = exec.Command("ip", "netns", "exec", f.name, "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null",
		"--user=root", "--group=root", "--pid-file=", "--no-resolv", "--no-hosts", "--no-ping", "--no-daemon",
		"--interface="+bridge, "--bind-interfaces", "--except-interface=lo", "--local=/#/", "--addn-hosts="+filepath.Join(dir, "hosts"),
		"--dhcp-range=10.0.0.0,static,255.255.0.0,1h", "--dhcp-authoritative", "--dhcp-hostsfile="+filepath.Join(dir, "leases"),
		"--dhcp-leasefile="+filepath.Join(dir, "given"), "--dhcp-option=option:router,"+Gateway,
		"--dhcp-option=option:dns-server,"+Resolver, "--dhcp-option=option:domain-name,ec2.internal")
	d.up = upWriter{said: &d.said, up: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.up, &d.up
	if d.ended, err = startTied(d.cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start dnsmasq (Debian's dnsmasq-base): %w", err), os.RemoveAll(dir))
	}
	select {
	case <-d.up.up:
	case <-d.ended:
		return nil, errors.Join(fmt.Errorf("dnsmasq ended: %s", d.said.Bytes()), os.RemoveAll(dir))
	}
	return d, nil
}

func (d *dhcp) write(name, text string) error {
	return os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644)
}

// Address changes what the machine gets at its next renewal or boot, as after
// a stop and start of the instance.
func (f *Fabric) Address(address string) error {
	return errors.Join(f.dhcp.write("leases", MAC+","+address+"\n"), f.dhcp.reload())
}

// Name lets the resolver at Resolver answer a name with an address.
func (f *Fabric) Name(name, address string) error {
	f.dhcp.host[name] = address
	var all bytes.Buffer
	for n, a := range f.dhcp.host {
		fmt.Fprintf(&all, "%s %s\n", a, n)
	}
	return errors.Join(f.dhcp.write("hosts", all.String()), f.dhcp.reload())
}

func (d *dhcp) reload() error { return d.cmd.Process.Signal(syscall.SIGHUP) }

func (d *dhcp) close() error {
	err := d.cmd.Process.Kill()
	<-d.ended
	return errors.Join(err, os.RemoveAll(d.dir))
}
