package integration_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"reveille/coordinator/api"
)

// resolvWriter is a program that writes resolv.conf, as Debian packages it.
type resolvWriter struct {
	Packages []string
	Setup    []string // run once, with the link up and the first lease on offer
	Write    string   // makes it write; $1 is the domain that its servers come with
	Heard    string   // a file that shows that it knows the domain, resolv.conf or not
	AtOnce   bool     // it writes as soon as restore lets it, so that the image's bytes are not there for long
}

var resolvWriters = map[string]resolvWriter{
	"dhclient": {
		Packages: []string{"isc-dhcp-client"},
		Write:    "dhclient -r near; ip addr flush dev near; dhclient -1 near",
		Heard:    "/var/lib/dhcp/dhclient.leases",
	},
	"dhcpcd": {
		Packages: []string{"dhcpcd-base"},
		// It probes for five seconds whether somebody has the address.
		Write: "dhcpcd --oneshot --waitip --noarp near",
		Heard: "/var/lib/dhcpcd/near.lease",
	},
	"openresolv": {
		Packages: []string{"openresolv"},
		Setup:    noUnbound,
		Write:    `printf 'search %s\nnameserver 10.0.0.66\n' "$1" | resolvconf -a near.test`,
		Heard:    "/run/resolvconf/resolv.conf",
	},
	"resolvconf": {
		Packages: []string{"resolvconf"},
		Write:    `printf 'search %s\nnameserver 10.0.0.66\n' "$1" | resolvconf -a near.test`,
		Heard:    "/run/resolvconf/resolv.conf",
	},
	"dhclient through openresolv": {
		Packages: []string{"isc-dhcp-client", "openresolv"},
		Setup:    noUnbound,
		Write:    "dhclient -r near; ip addr flush dev near; dhclient -1 near",
		Heard:    "/run/resolvconf/resolv.conf",
	},
	"dhclient through resolvconf": {
		Packages: []string{"isc-dhcp-client", "resolvconf"},
		Write:    "dhclient -r near; ip addr flush dev near; dhclient -1 near",
		Heard:    "/run/resolvconf/resolv.conf",
	},
	"dhcpcd through openresolv": {
		Packages: []string{"dhcpcd-base", "openresolv"},
		Setup:    noUnbound,
		Write:    "dhcpcd --oneshot --waitip --noarp near",
		Heard:    "/run/resolvconf/resolv.conf",
	},
	"dhclient beside resolved": {
		Packages: []string{"isc-dhcp-client", "systemd-resolved"},
		Write:    "dhclient -r near; ip addr flush dev near; dhclient -1 near",
		Heard:    "/var/lib/dhcp/dhclient.leases",
	},
	"networkd through resolved": {
		Packages: []string{"systemd-resolved"},
		Setup: []string{"sh", "-ec", `
			printf '[Match]\nName=near\n[Network]\nDHCP=ipv4\n[DHCPv4]\nUseDomains=yes\n' >/etc/systemd/network/near.network
			systemctl restart systemd-resolved.service systemd-networkd.service`},
		Write: "networkctl reconfigure near",
		Heard: "/run/systemd/resolve/resolv.conf",
	},
	"NetworkManager": {
		Packages: []string{"network-manager"},
		AtOnce:   true,
		Write:    "nmcli device connect near",
		Heard:    "/run/NetworkManager/resolv.conf",
	},
}

// noUnbound turns off the list for unbound that openresolv keeps below /etc,
// so that all of /etc can be compared.
var noUnbound = []string{"sed", "-i", "/^unbound_conf=/d", "/etc/resolvconf.conf"}

// TestRealWritersLeaveResolvConf lets each writer write resolv.conf, makes it
// ours, lets the writer try again, and takes it all back.
func TestRealWritersLeaveResolvConf(t *testing.T) {
	for name, w := range resolvWriters {
		t.Run(name, func(t *testing.T) {
			c := startResolverMachine(t)
			c.lease("image1.test")
			c.debian(w.Packages...)
			if w.Setup != nil {
				c.must(w.Setup...)
			}
			write := func(domain string) {
				t.Helper()
				c.lease(domain)
				c.must("sh", "-c", w.Write, "sh", domain)
			}
			write("image2.test")
			c.names("/etc/resolv.conf", "image2.test")
			image := c.files(t)

			c.ready(t, "")
			ours := c.ownResolvConf(t)
			write("other3.test")
			c.names(w.Heard, "other3.test")
			if now := c.ownResolvConf(t); now != ours {
				t.Errorf("%s wrote resolv.conf again:\n%s", name, now)
			}

			before := c.touched()
			c.ready(t, "ok")
			if now := c.touched(); now != before {
				t.Errorf("a second pass wrote below /etc:\n%s", diff.Diff("first", []byte(before), "second", []byte(now)))
			}

			c.must("reveille", "restore")
			back := c.files(t)
			if w.AtOnce {
				back, image = noResolvConf(back), noResolvConf(image)
			}
			if back != image {
				t.Errorf("restore left other files:\n%s", diff.Diff("image", []byte(image), "restored", []byte(back)))
			}
			write("image4.test")
			c.names("/etc/resolv.conf", "image4.test")
		})
	}
}

// noResolvConf leaves resolv.conf out of a list of files.
func noResolvConf(files string) string {
	lines := slices.DeleteFunc(strings.Split(files, "\n"), func(l string) bool { return strings.Contains(l, " ./resolv.conf") })
	return strings.Join(lines, "\n")
}

// ready makes a pass that must be ready, each step in this state if one is named.
func (c *container) ready(t *testing.T, state string) {
	t.Helper()
	r := exceptServers(t, c.boot(t))
	if r.State != api.Ready {
		t.Errorf("state %s, errors %v", r.State, r.Errors)
	}
	for _, s := range r.Steps {
		if s.Error != "" || state != "" && s.State != state {
			t.Errorf("%s is %s %v %s", s.ID, s.State, s.Changes, s.Error)
		}
	}
}

// exceptServers is a report but for the servers: a container's network has none
// that answer, which degrades it, and it has to say so.
func exceptServers(t *testing.T, r api.Report) api.Report {
	t.Helper()
	silent := func(s api.Step) bool { return s.Concern == "servers" && s.State == "failed" && !s.Required }
	others := slices.DeleteFunc(slices.Clone(r.Steps), silent)
	so := !slices.ContainsFunc(others, func(s api.Step) bool { return s.State != "ok" && s.State != "changed" })
	if len(others) == len(r.Steps) || r.State != api.Degraded {
		t.Errorf("state %s, and %d steps say that servers do not answer", r.State, len(r.Steps)-len(others))
	} else if so {
		r.State = api.Ready
	}
	r.Steps = others
	return r
}

// ownResolvConf is resolv.conf, which must be a plain file that names the
// role's servers and no other.
func (c *container) ownResolvConf(t *testing.T) string {
	t.Helper()
	path := filepath.Join(c.root, "/etc/resolv.conf")
	if i, err := os.Lstat(path); err != nil || !i.Mode().IsRegular() {
		t.Fatalf("resolv.conf is no plain file: %v %v", i, err)
	}
	text := string(readFile(t, path))
	var servers []string
	for line := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(line, "nameserver "); ok {
			servers = append(servers, strings.TrimSpace(s))
		}
	}
	if got := strings.Join(servers, " "); got != "127.0.0.2 127.0.0.3" {
		t.Errorf("resolv.conf names %q:\n%s", got, text)
	}
	return text
}
