package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// container is this machine's own Debian, booted once more by its own systemd
// over a throw-away layer, with a network and a host name of its own.
type container struct {
	t    *testing.T
	root string // as seen from here
	init int    // the process id of its systemd
}

// startContainer boots one in about a second. Its only address is loopback.
func startContainer(t *testing.T) *container {
	t.Helper()
	needRoot(t, "boot a container")
	needProgram(t, "/usr/bin/systemd-nspawn", "systemd-container")
	needProgram(t, "/usr/bin/dbus-daemon", "dbus")
	c := &container{t: t, root: layer(t)}
	var console bytes.Buffer
	cmd := exec.Command("systemd-nspawn", "--register=no", "--keep-unit", "-D", c.root, "--private-network", "--resolv-conf=off",
		"--timezone=off", "--link-journal=no", "--hostname=ip-10-0-0-5", "--console=pipe", "/lib/systemd/systemd", "systemd.unit=basic.target")
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// With its first process everything in the container ends, at once:
		// there is nothing in it that anybody wants back.
		if c.init != 0 {
			_ = syscall.Kill(c.init, syscall.SIGKILL)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("console:\n%s", console.Bytes())
		}
	})
	waitFor(t, 60*time.Second, "the container runs", func() error {
		if c.init = firstProcess(cmd.Process.Pid); c.init == 0 {
			return fmt.Errorf("it has no first process yet")
		}
		out, _ := c.command("systemctl", "is-system-running").Output()
		if s := strings.TrimSpace(string(out)); s != "running" && s != "degraded" {
			return fmt.Errorf("its state is %q", s)
		}
		return nil
	})
	return c
}

// layer is a throw-away writable layer over this machine's own files.
func layer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"files", "root"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mount(t, "tmpfs", "tmpfs", filepath.Join(dir, "files"), "")
	for _, d := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(dir, "files", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(dir, "root")
	mount(t, "overlay", "overlay", root, fmt.Sprintf("lowerdir=/,upperdir=%[1]s/files/upper,workdir=%[1]s/files/work", dir))
	return root
}

func mount(t *testing.T, what, kind, at, options string) {
	t.Helper()
	if err := syscall.Mount(what, at, kind, 0, options); err != nil {
		t.Fatalf("mount %s at %s: %v", what, at, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, 0); err != nil {
			t.Errorf("unmount %s: %v", at, err)
		}
	})
}

// firstProcess is the child of nspawn that is process 1 in a space of its own,
// 0 where there is none yet: others come and go on the way there.
func firstProcess(nspawn int) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nspawn, nspawn))
	for _, pid := range strings.Fields(string(children)) {
		status, _ := os.ReadFile("/proc/" + pid + "/status")
		_, ids, _ := strings.Cut(string(status), "NSpid:")
		ids, _, _ = strings.Cut(ids, "\n")
		if f := strings.Fields(ids); len(f) == 2 && f[1] == "1" {
			n, _ := strconv.Atoi(pid)
			return n
		}
	}
	return 0
}

// put writes a file of the container.
func (c *container) put(path, text string, mode os.FileMode) {
	c.t.Helper()
	real := filepath.Join(c.root, path)
	if err := os.MkdirAll(filepath.Dir(real), 0o755); err != nil {
		c.t.Fatal(err)
	}
	_ = os.Remove(real)
	if err := os.WriteFile(real, []byte(text), mode); err != nil {
		c.t.Fatal(err)
	}
}

// install puts a built program of this test into the container.
func (c *container) install(from, path string) {
	c.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(path, string(b), 0o755)
}

// command is a command inside the container.
func (c *container) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", strconv.Itoa(c.init), "-a"}, args...)...)
}

// must runs a command inside, to its end, and returns what it said.
func (c *container) must(args ...string) string {
	c.t.Helper()
	var out, say bytes.Buffer
	cmd := c.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &say
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%v: %v\n%s%s", args, err, out.Bytes(), say.Bytes())
	}
	return strings.TrimSpace(out.String())
}
