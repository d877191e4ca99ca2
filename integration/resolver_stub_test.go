package integration_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestNamesGoPastResolvedToTheServers holds what resolved is not asked for:
// look-ups reach the servers that the role names, and where those and
// resolved's own are dead, they end sooner than by its stub.
func TestNamesGoPastResolvedToTheServers(t *testing.T) {
	c := startResolverMachine(t)
	// Two that the role names, two that the image's resolved has, and another
	// answer from each pair.
	for unit, conf := range map[string]string{
		"role-dns":  "listen-address=127.0.0.2\nlisten-address=127.0.0.3\naddress=/db.example/10.2.2.2\n",
		"image-dns": "listen-address=127.0.0.4\nlisten-address=127.0.0.5\naddress=/db.example/10.4.4.4\n",
	} {
		c.put("/srv/"+unit+".conf", "bind-interfaces\nuser=root\nno-resolv\nno-hosts\n"+conf, 0o644)
		c.put("/etc/systemd/system/"+unit+".service", "[Service]\nType=forking\nExecStart=dnsmasq --conf-file=/srv/"+unit+
			".conf --pid-file=/run/"+unit+".pid\nPIDFile=/run/"+unit+".pid\n", 0o644)
	}
	c.put("/etc/systemd/resolved.conf.d/image.conf", "[Resolve]\nDNS=127.0.0.4 127.0.0.5\n", 0o644)
	// Without an address of its own resolved takes the machine to have no network.
	c.must("ip", "addr", "add", "10.0.0.50/24", "dev", "near")
	c.debian("systemd-resolved")
	c.must("systemctl", "daemon-reload")
	c.must("systemctl", "start", "role-dns.service", "image-dns.service")
	c.must("systemctl", "restart", "systemd-resolved.service")
	const link = "../run/systemd/resolve/stub-resolv.conf"
	asked := func(when, want string) {
		t.Helper()
		if got := c.must("getent", "hosts", "db.example"); !strings.HasPrefix(got, want+" ") {
			t.Errorf("%s db.example is %q, want %s", when, got, want)
		}
	}
	if now := c.must("readlink", "/etc/resolv.conf"); now != link {
		t.Fatalf("the image's resolv.conf is a link to %q, want %s", now, link)
	}
	asked("through resolved", "10.4.4.4")

	c.ready(t, "")
	c.ownResolvConf(t)
	asked("after a pass", "10.2.2.2")
	if err := c.state("systemd-resolved.service", "active"); err != nil {
		t.Errorf("after a pass %v", err)
	}
	if got := c.must("resolvectl", "query", "--legend=no", "db.example"); !strings.Contains(got, "10.4.4.4") {
		t.Errorf("who asks resolved by D-Bus gets %q", got)
	}
	c.deadServers(t)

	c.must("reveille", "restore")
	if now := c.must("readlink", "/etc/resolv.conf"); now != link {
		t.Errorf("after restore resolv.conf is a link to %q, want %s", now, link)
	}
	asked("after restore", "10.4.4.4")
}

// deadServers stops every server from answering, and asks for a name by our
// file and by resolved's at the same time, each seen as /etc/resolv.conf.
func (c *container) deadServers(t *testing.T) {
	t.Helper()
	signal := func(name string) {
		c.must("systemctl", "kill", "--signal", name, "role-dns.service", "image-dns.service")
	}
	signal("STOP")
	defer signal("CONT")
	type end struct {
		took time.Duration
		err  error
	}
	ask := func(cmd *exec.Cmd) <-chan end {
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan end, 1)
		go func() { ended <- end{err: cmd.Wait(), took: time.Since(began)} }()
		return ended
	}
	// The head start is the stub's.
	stub := ask(c.command("unshare", "--mount", "sh", "-ec",
		"mount --bind /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; exec getent hosts dead.example."))
	ours := ask(c.command("getent", "hosts", "dead.example."))
	a, b := <-ours, <-stub
	// getent's own word for a name that is not found, here as nobody answered.
	for who, e := range map[string]end{"our file": a, "resolved's stub": b} {
		var exit *exec.ExitError
		if !errors.As(e.err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("a dead name by %s: %v, want exit code 2", who, e.err)
		}
	}
	t.Logf("with every server dead a name takes %v by our file and %v by resolved's stub: %.1f times as long",
		a.took.Round(time.Millisecond), b.took.Round(time.Millisecond), b.took.Seconds()/a.took.Seconds())
	if 2*a.took > b.took {
		t.Errorf("by our file it takes %v, and by resolved's stub %v: want less than half", a.took, b.took)
	}
}
