package integration_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/coordinator/api"
)

// The units as they are shipped, in a real systemd: what depends on the role
// starts when the machine is in it.
func TestTheDaemonUnderSystemd(t *testing.T) {
	c := startContainer(t)
	c.units(t)
	c.imds(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s", c.must("sh", "-c", "systemctl list-jobs; systemctl status 'reveille*' multi-user-role; journalctl -b --no-pager -n 60; cat /run/reveille/report.json || true"))
		}
	})
	c.must("systemctl", "start", "--no-block", "multi-user-role.service", "reveille-ready.target")
	waitFor(t, 30*time.Second, "what depends on the role runs", func() error { return c.state("multi-user-role.service", "active") })
	if err := c.state("reveille.service", "active"); err != nil {
		t.Error(err)
	}
	if r := c.report(t); r.State != api.Ready || r.Pass != "boot" {
		t.Errorf("the report: %s, pass %s, errors %v", r.State, r.Pass, r.Errors)
	}
	if said := c.must("systemctl", "show", "-P", "StatusText", "reveille.service"); !strings.Contains(said, "ready: dev-mysql01") {
		t.Errorf("systemctl status says %q", said)
	}

	// A clean stop is quick, and the next start is no second boot pass.
	began := time.Now()
	c.must("systemctl", "stop", "reveille.service")
	took := time.Since(began)
	if out := c.must("systemctl", "show", "-P", "Result", "reveille.service"); strings.TrimSpace(out) != "success" {
		t.Errorf("the stop took %s and ended in %q", took, out)
	}
	c.must("systemctl", "start", "reveille.service")
	waitFor(t, 30*time.Second, "the pass after a start anew", func() error {
		if r := c.report(t); r.Pass != "hup" || r.State != api.Ready {
			return fmt.Errorf("%s pass, %s", r.Pass, r.State)
		}
		return nil
	})
}

// units installs the agent as a package would, a role, and a service that
// depends on the role.
func (c *container) units(t *testing.T) {
	t.Helper()
	c.install(filepath.Join(binDir, "reveille"), "/usr/bin/reveille")
	for _, u := range []string{"reveille.service", "reveille-wait.service", "reveille-ready.target"} {
		c.put("/usr/lib/systemd/system/"+u, string(readFile(t, filepath.Join("..", "systemd", u))), 0o644)
	}
	c.put("/etc/systemd/system/multi-user-role.service", `[Unit]
Requires=reveille-ready.target
After=reveille-ready.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
`, 0o644)
	c.put("/etc/reveille/roles.d/mysql.yaml", "role: mysql\nmatch: {security_groups: [mysql]}\nresolver: {nameservers: [10.0.0.2]}\n", 0o644)
	c.put("/etc/hosts", "127.0.0.1 localhost\n", 0o644)
	c.put("/etc/resolv.conf", "nameserver 10.0.0.2\n", 0o644)
	c.must("systemctl", "daemon-reload")
}

func (c *container) report(t *testing.T) api.Report {
	t.Helper()
	var r api.Report
	if out, err := c.command("cat", "/run/reveille/report.json").Output(); err == nil {
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatal(err)
		}
	}
	return r
}
