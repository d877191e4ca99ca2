package integration_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ours is a package of the pair that is made once a run.
func ours(t *testing.T, version, pattern string) string {
	t.Helper()
	ourPackages.once.Do(ourPackages.make)
	if ourPackages.err != nil {
		t.Fatal(ourPackages.err)
	}
	return only(t, ourPackages.dir, version, pattern)
}

// An image is built in a folder: no systemd runs there that could be asked.
func TestPackageInAnImage(t *testing.T) {
	needRoot(t, "install into a folder")
	needProgram(t, "/usr/bin/systemd-nspawn", "systemd-container")
	root := layer(t)
	in := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.Command("systemd-nspawn", append([]string{"-q", "--register=no", "--keep-unit", "--private-network", "--resolv-conf=off",
			"--timezone=off", "--link-journal=no", "--pipe", "-D", root}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out.Bytes())
		}
		return out.String()
	}
	for _, name := range []string{"reveille", "reveille-coordinator"} {
		copyInto(t, ours(t, "1.0.0", name+"_1*.deb"), filepath.Join(root, "opt", name+".deb"))
		if said := in("dpkg", "-i", "/opt/"+name+".deb"); !strings.Contains(said, "neither enabled nor started") {
			t.Errorf("%s does not say that it is off:\n%s", name, said)
		}
	}
	wanted := filepath.Join(root, "etc/systemd/system/multi-user.target.wants/reveille.service")
	if _, err := os.Lstat(wanted); err == nil {
		t.Error("the installation enabled the unit")
	}
	in("systemctl", "enable", "reveille")
	if _, err := os.Lstat(wanted); err != nil {
		t.Errorf("systemctl enable reveille: %v", err)
	}
	if who := in("getent", "passwd", "reveille-coordinator"); !strings.Contains(who, "/usr/sbin/nologin") {
		t.Errorf("the coordinator's user is %q", who)
	}
	in("dpkg", "-P", "reveille", "reveille-coordinator")
	if _, err := os.Lstat(wanted); err == nil {
		t.Error("the purged unit is still enabled")
	}
}

// The scripts are those of the deb; rpm calls them with numbers, and in another
// order.
func TestRPMOnAMachine(t *testing.T) {
	needProgram(t, "/usr/bin/rpm", "rpm")
	c := startContainer(t)
	rpm := func(what, version string) string {
		t.Helper()
		path := "/opt/" + version + ".rpm"
		copyInto(t, ours(t, version, "reveille-1*.rpm"), filepath.Join(c.root, path))
		return c.must("rpm", "--nodeps", what, path)
	}
	pid := func() string { return c.must("systemctl", "show", "-P", "MainPID", "reveille.service") }

	if said := rpm("-i", "1.0.0"); !strings.Contains(said, "neither enabled nor started") {
		t.Errorf("it does not say that it is off:\n%s", said)
	}
	if pid() != "0" {
		t.Error("the installation started the daemon")
	}
	c.must("systemctl", "enable", "--now", "--no-block", "reveille")
	waitFor(t, 30*time.Second, "the daemon runs", func() error { return c.command("systemctl", "is-active", "reveille").Run() })

	before := pid()
	rpm("-U", "1.0.1")
	c.must("systemctl", "start", "reveille") // behind the restart, if there is one
	if now := pid(); now == before || now == "0" {
		t.Errorf("after the upgrade the daemon's process is %s, before it %s", now, before)
	}
	c.must("systemctl", "is-enabled", "reveille")

	c.put("/var/lib/reveille/originals/%2Fetc%2Fhosts.original", "{}", 0o600)
	if said := c.must("rpm", "-e", "reveille"); !strings.Contains(said, "/var/lib/reveille/originals") {
		t.Errorf("it does not say where the originals are:\n%s", said)
	}
	if pid() != "0" {
		t.Error("the removal left the daemon running")
	}
	c.must("test", "-e", "/var/lib/reveille/originals/%2Fetc%2Fhosts.original")
	if c.command("systemctl", "is-enabled", "reveille").Run() == nil {
		t.Error("the removed unit is still enabled")
	}
}

func copyInto(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
