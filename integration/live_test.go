package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/coordinator/api"
)

// TestUnitsOnRealSystemd runs the units' own test where a systemd is.
func TestUnitsOnRealSystemd(t *testing.T) {
	c := startContainer(t)
	program := filepath.Join(t.TempDir(), "host.test")
	build := exec.Command("go", "test", "-c", "-tags", "realsystemd", "-o", program, "reveille/bootstrap/host")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.install(program, "/usr/local/bin/host.test")
	out := c.must("/usr/local/bin/host.test", "-test.run", "^TestReal(Systemd|Task)$", "-test.v")
	if strings.Count(out, "--- PASS: TestReal") != 2 {
		t.Errorf("they did not run:\n%s", out)
	}
}

// TestALiveMachineTakesItsRole boots, by systemd, a machine whose metadata
// service has its real address; makes a pass there; and takes it back.
func TestALiveMachineTakesItsRole(t *testing.T) {
	needProgram(t, "/usr/sbin/gmond", "ganglia-monitor")
	needProgram(t, "/usr/sbin/nslcd", "nslcd")
	c := startContainer(t)
	c.install(filepath.Join(binDir, "reveille"), "/usr/local/bin/reveille")
	c.put("/etc/hosts", "127.0.0.1 localhost\n", 0o644)
	c.put("/etc/hostname", "ip-10-0-0-5\n", 0o644)
	c.put("/etc/resolv.conf", "nameserver 10.0.0.2\n", 0o644)
	// A network that is loopback alone: gmond does not start where a channel
	// cannot be made, nor stop while it waits for one.
	c.put("/etc/ganglia/gmond.conf", "globals {\n  user = ganglia\n}\nudp_send_channel {\n  host = 127.0.0.1\n  port = 8649\n}\n", 0o644)
	role := strings.ReplaceAll(string(readFile(t, "testdata/roles/mysql.yaml")), "10.0.0.4", "127.0.0.1")
	c.put("/etc/reveille/roles.d/mysql.yaml", role, 0o644)
	c.put("/etc/nslcd.conf", "uid nslcd\ngid nslcd\nuri ldap://127.0.0.1/\nbase dc=image\n", 0o640)
	c.must("systemctl", "start", "ganglia-monitor.service")
	c.imds(t)

	image, name := c.files(t), c.must("hostname")
	gmond := func() string {
		return c.must("systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "ganglia-monitor.service")
	}
	old := gmond()
	r := exceptServers(t, c.boot(t))
	if r.State != api.Ready {
		for _, s := range r.Steps {
			t.Errorf("%s %s: %s", s.State, s.ID, s.Error)
		}
		t.Errorf("state %s, errors %v\n%s", r.State, r.Errors, c.must("journalctl", "-b", "--no-pager", "-n", "60"))
	}
	if now := c.must("hostname"); now != "dev-mysql01" {
		t.Errorf("the live host name is %q", now)
	}
	if full := c.must("hostname", "-f"); full != "dev-mysql01.acme.private" {
		t.Errorf("its full name is %q", full)
	}
	// The pass asks for the restart and does not wait: the old one may still run.
	waitFor(t, 30*time.Second, "gmond is started anew", func() error {
		if gmond() == old {
			return errors.New("it is the old one")
		}
		return c.state("ganglia-monitor.service", "active")
	})
	started := gmond()
	if again := exceptServers(t, c.boot(t)); again.State != api.Ready {
		t.Errorf("second pass: %s, %v", again.State, again.Errors)
	} else {
		for _, s := range again.Steps {
			if s.State != "ok" {
				t.Errorf("second pass: %s is %s %v %s", s.ID, s.State, s.Changes, s.Error)
			}
		}
	}
	if now := gmond(); now != started {
		t.Error("the second pass restarted gmond")
	}
	c.must("reveille", "restore")
	if back := c.files(t); back != image {
		t.Errorf("restore left\n%s\nand the image had\n%s", back, image)
	}
	if now := c.must("hostname"); now != name {
		t.Errorf("after restore the live host name is %q, and was %q", now, name)
	}
}

// imds serves metadata inside the container, at the service's own address.
func (c *container) imds(t *testing.T) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fakeimds")
	build := exec.Command("go", "build", "-o", program, "reveille/integration/fakeimds/cmd/fakeimds")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.install(program, "/usr/local/bin/fakeimds")
	c.must("ip", "addr", "add", "169.254.169.254/32", "dev", "lo")
	// As a unit: a child of the test would outlive the container's end.
	c.must("sh", "-c", "printf '[Service]\\nExecStart=/usr/local/bin/fakeimds -listen 169.254.169.254:80\\n' >/run/systemd/system/fakeimds.service")
	c.must("systemctl", "daemon-reload")
	c.must("systemctl", "start", "fakeimds.service")
	waitFor(t, 30*time.Second, "the metadata service answers", func() error {
		return c.command("reveille", "debug", "facts").Run()
	})
}

func (c *container) boot(t *testing.T) api.Report {
	t.Helper()
	out, _ := c.command("reveille", "boot", "--json").Output() // the report has the outcome
	var r api.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("the report: %v\n%s", err, out)
	}
	return r
}

func (c *container) state(unit, want string) error {
	out, _ := c.command("systemctl", "is-active", unit).Output()
	if got := strings.TrimSpace(string(out)); got != want {
		return fmt.Errorf("%s is %s", unit, got)
	}
	return nil
}

// files is everything below /etc, with modes and digests.
func (c *container) files(t *testing.T) string {
	t.Helper()
	return c.must("sh", "-c", "cd /etc && find . -path ./reveille -prune -o -printf '%M %U:%G %p %l\\n' | sort; find . -path ./reveille -prune -o -type f -print0 | sort -z | xargs -0 sha256sum")
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
