package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// debs is where scripts/packages leaves Debian's packages of programs that
// must not be installed on the machine that the tests run on: each of them
// would take its resolv.conf.
const debs = "../build/debs"

// debian installs packages in the container, maintainer scripts and all.
func (c *container) debian(packages ...string) {
	c.t.Helper()
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(debs, p, "*.deb"))
		if err != nil {
			c.t.Fatal(err)
		}
		if len(files) == 0 {
			lacking(c.t, filepath.Join(debs, p)+" has no packages: integration/scripts/packages")
		}
		args := []string{"env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--install", "--force-confdef", "--force-confold"}
		for _, f := range files {
			at := "/var/cache/debs/" + filepath.Base(f)
			c.put(at, string(readFile(c.t, f)), 0o644)
			args = append(args, at)
		}
		if out, err := c.command(args...).CombinedOutput(); err != nil {
			c.t.Fatalf("install %s: %v; where %s is for an older Debian, remove it\n%s", p, err, debs, out)
		}
	}
}

// startResolverMachine boots a container on a network with a DHCP server, as
// which the link "near" sees it, and with a role that names its servers.
func startResolverMachine(t *testing.T) *container {
	t.Helper()
	c := startContainer(t)
	c.install(filepath.Join(binDir, "reveille"), "/usr/local/bin/reveille")
	// An image for containers may forbid the packages to start their services.
	_ = os.Remove(filepath.Join(c.root, "/usr/sbin/policy-rc.d"))
	c.put("/etc/hosts", "127.0.0.1 localhost\n", 0o644)
	c.put("/etc/hostname", "ip-10-0-0-5\n", 0o644)
	c.put("/etc/resolv.conf", "nameserver 192.0.2.1\n", 0o644)
	c.put("/etc/reveille/roles.d/mysql.yaml", `role: mysql
identity: {domain: acme.private}
resolver: {nameservers: [127.0.0.2, 127.0.0.3]}
`, 0o644)
	c.debian("dnsmasq-base")
	c.must("sh", "-ec", `
		ip netns add far
		ip link add near type veth peer name far netns far
		ip -n far addr add 10.0.0.1/24 dev far
		ip -n far link set far up
		ip link set near up`)
	// It forks once it listens, so that a start that has ended is one that answers.
	c.put("/etc/systemd/system/dhcp.service", `[Service]
Type=forking
ExecStart=ip netns exec far dnsmasq --conf-file=/srv/dhcp.conf --pid-file=/run/dhcp.pid
PIDFile=/run/dhcp.pid
`, 0o644)
	c.must("systemctl", "daemon-reload")
	c.imds(t)
	return c
}

// lease lets the DHCP server give this domain from now on.
func (c *container) lease(domain string) {
	c.t.Helper()
	c.put("/srv/dhcp.conf", fmt.Sprintf(`port=0
user=root
interface=far
bind-interfaces
no-ping
dhcp-authoritative
dhcp-leasefile=/run/dhcp.leases
dhcp-range=10.0.0.50,10.0.0.60,10m
dhcp-option=option:dns-server,10.0.0.66
dhcp-option=option:domain-name,%s
`, domain), 0o644)
	c.must("systemctl", "restart", "dhcp.service")
}

// names waits until a file of the container has this text, as those who live
// in the container read it.
func (c *container) names(path, text string) {
	c.t.Helper()
	waitFor(c.t, 30*time.Second, path+" names "+text, func() error {
		if now := c.must("cat", path); !strings.Contains(now, text) {
			return fmt.Errorf("it is\n%s", now)
		}
		return nil
	})
}

// touched is everything below /etc with what changes at each write of it.
func (c *container) touched() string {
	c.t.Helper()
	return c.must("sh", "-c", "find /etc -printf '%p %i %T@ %C@\\n' | sort")
}
