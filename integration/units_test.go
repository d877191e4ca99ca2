package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	c.must("systemctl", "start", "--no-block", "multi-user-role.service", "reveille-ready.target")
	waitFor(t, 30*time.Second, "what depends on the role runs", func() error { return c.state("multi-user-role.service", "active") })
	if err := c.state("reveille.service", "active"); err != nil {
		t.Error(err)
	}
	if r := c.report(t); r.State != api.Ready || r.Pass != "boot" {
		t.Errorf("the report: %s, pass %s, errors %v", r.State, r.Pass, r.Errors)
	}
	// The report is there before systemd is told of it.
	waitFor(t, 30*time.Second, "systemctl status says how the pass ended", func() error {
		if said := c.must("systemctl", "show", "-P", "StatusText", "reveille.service"); !strings.Contains(said, "ready: dev-mysql01") {
			return fmt.Errorf("it says %q", said)
		}
		return nil
	})

	rss := c.must("sh", "-c", "grep VmRSS /proc/$(systemctl show -P MainPID reveille.service)/status | tr -dc 0-9")
	if kib, err := strconv.Atoi(rss); err != nil || kib > 20<<10 {
		t.Errorf("the daemon holds %s KiB, at most 20 MiB are its due (%v)", rss, err)
	}
	t.Logf("the daemon holds %s KiB", rss)

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

// Readiness that comes after the wait has given up still reaches what depends
// on it; and a machine that goes down says so, and runs the role's script.
func TestLateReadinessAndTheEnd(t *testing.T) {
	c := startContainer(t)
	c.units(t)
	c.put("/etc/systemd/system/reveille-wait.service.d/short.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/reveille wait --timeout 1s\n", 0o644)
	// Kept where the end of /run does not take it.
	c.put("/usr/local/sbin/leave", "#!/bin/sh\nip addr show dev lo | grep -q 169.254.169.254 && cp /run/reveille/report.json /var/last.json\n", 0o755)
	c.must("systemctl", "daemon-reload")
	c.must("systemctl", "start", "--no-block", "reveille.service", "multi-user-role.service")
	waitFor(t, 30*time.Second, "the wait gives up", func() error { return c.state("reveille-wait.service", "failed") })
	if err := c.state("multi-user-role.service", "inactive"); err != nil {
		t.Errorf("it started although the wait had failed: %v", err)
	}
	waitFor(t, 15*time.Second, "READY without any answer", func() error { return c.state("reveille.service", "active") })
	c.put("/etc/systemd/system/reveille-ready.target.wants/multi-user-role.service", "", 0o644)
	c.must("sh", "-c", "rm -r /etc/systemd/system/reveille-ready.target.wants; mkdir /etc/systemd/system/reveille-ready.target.wants; ln -s ../multi-user-role.service /etc/systemd/system/reveille-ready.target.wants; systemctl daemon-reload")
	c.imds(t)
	waitFor(t, 2*time.Minute, "readiness reaches what depends on it", func() error { return c.state("multi-user-role.service", "active") })

	_ = c.command("systemctl", "poweroff", "--no-block").Run()
	waitFor(t, time.Minute, "the machine says that it goes down", func() error {
		b, err := os.ReadFile(filepath.Join(c.root, "var/last.json"))
		if err == nil && !strings.Contains(string(b), `"state": "stopping"`) {
			err = fmt.Errorf("its script saw\n%s", b)
		}
		return err
	})
}

// units installs the agent as a package would, a role, and a service that
// depends on the role.
func (c *container) units(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := c.command("sh", "-c", "systemctl list-jobs; systemctl status --no-pager 'reveille*' multi-user-role; journalctl -b --no-pager -n 60").CombinedOutput()
			t.Logf("%s", out)
		}
	})
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
	c.put("/etc/reveille/roles.d/mysql.yaml", "role: mysql\nmatch: {security_groups: [mysql]}\nscripts: {shutdown: [/usr/local/sbin/leave]}\n", 0o644)
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

// systemd itself reads the units: every setting is known, and together with
// what else boots a machine there is no ordering cycle.
func TestUnitsAreSound(t *testing.T) {
	needProgram(t, "/usr/bin/systemd-analyze", "systemd")
	dir := t.TempDir()
	args := []string{"verify", "--man=no", "--recursive-errors=one"}
	for name, text := range around {
		put(t, filepath.Join(dir, name), text)
	}
	for _, u := range ourUnits {
		text := strings.ReplaceAll(string(readFile(t, filepath.Join("..", "systemd", u))), "/usr/bin/reveille", filepath.Join(binDir, "reveille"))
		put(t, filepath.Join(dir, u), text)
		args = append(args, filepath.Join(dir, u))
	}
	args = append(args, filepath.Join(dir, "multi-user.target"), filepath.Join(dir, "cloud-final.service"))
	cmd := exec.Command("systemd-analyze", args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":/usr/lib/systemd/system")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

var ourUnits = []string{"reveille.service", "reveille-wait.service", "reveille-ready.target"}

// around is what boots beside us where it is installed, with the orderings
// that its own packages give it.
var around = map[string]string{
	"multi-user.target":        "[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=reveille.service reveille-ready.target cloud-init.target ssh.service slapd.service nslcd.service NetworkManager.service systemd-networkd.service systemd-resolved.service networking.service role.service\nAllowIsolate=yes\n",
	"cloud-init.target":        "[Unit]\nAfter=multi-user.target\nWants=cloud-init-local.service cloud-init.service cloud-config.service cloud-final.service\n",
	"cloud-init-local.service": unit("DefaultDependencies=no\nAfter=systemd-remount-fs.service\nBefore=network-pre.target sysinit.target\nWants=network-pre.target"),
	"cloud-init.service":       unit("DefaultDependencies=no\nAfter=cloud-init-local.service systemd-networkd-wait-online.service networking.service\nBefore=network-online.target sysinit.target ssh.service systemd-user-sessions.service\nWants=cloud-init-local.service"),
	"cloud-config.service":     unit("After=network-online.target\nWants=network-online.target"),
	"cloud-final.service":      unit("After=network-online.target cloud-config.service multi-user.target"),
	"ssh.service":              unit("After=network.target\nBefore=cloud-final.service"),
	"slapd.service":            unit("After=network-online.target\nWants=network-online.target"),
	"nslcd.service":            unit("After=network-online.target slapd.service\nBefore=nss-user-lookup.target systemd-user-sessions.service\nWants=nss-user-lookup.target"),
	"NetworkManager.service":   unit("After=network-pre.target\nBefore=network.target\nWants=network.target"),
	"systemd-networkd.service": unit("DefaultDependencies=no\nAfter=network-pre.target\nBefore=network.target\nWants=network.target"),
	"systemd-resolved.service": unit("DefaultDependencies=no\nAfter=network-pre.target\nBefore=sysinit.target network.target nss-lookup.target\nWants=nss-lookup.target"),
	"networking.service":       unit("DefaultDependencies=no\nAfter=network-pre.target local-fs.target\nBefore=network.target network-online.target\nWants=network.target"),
	"role.service":             unit("Requires=reveille-ready.target\nAfter=reveille-ready.target"),
}

func unit(settings string) string {
	return "[Unit]\n" + settings + "\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Nothing of the boot waits for the agent: what is needed for a
// login is neither after it nor wants it, directly or through a unit of ours.
func TestNothingOfTheBootWaitsForUs(t *testing.T) {
	for _, u := range ourUnits {
		for line := range strings.Lines(string(readFile(t, filepath.Join("..", "systemd", u)))) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch {
			case key == "Before" && value != "shutdown.target",
				key == "RequiredBy", key == "WantedBy" && value != "multi-user.target",
				key == "After" && strings.Contains(value, "online"):
				t.Errorf("%s: %s=%s", u, key, value)
			}
		}
		if text := string(readFile(t, filepath.Join("..", "systemd", u))); !strings.Contains(text, "\nDefaultDependencies=no\n") {
			t.Errorf("%s has default dependencies: multi-user.target would wait for it", u)
		}
	}
}
