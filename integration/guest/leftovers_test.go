package guest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is also the process that is killed below.
func TestMain(m *testing.M) {
	dir := os.Getenv("REVEILLE_TEST_KILLED_IN")
	if dir == "" {
		os.Exit(m.Run())
	}
	fabric, err := NewFabric()
	if err != nil {
		panic(err)
	}
	_, groups := makeGroups(fabric.name)
	_, _, mounted := mountOver([]string{"/usr/share"}, filepath.Join(dir, "files"), dir)
	if err := errors.Join(groups, mounted); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	select {}
}

func TestNothingIsLeftOfAKilledTest(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can make networks")
		}
		t.Skip("only root can make networks")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "REVEILLE_TEST_KILLED_IN="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, _ := bufio.NewReader(out).ReadString('\n')
	name := fmt.Sprintf("%s%d", prefix, cmd.Process.Pid)
	if before := left(t, name); said != "ready\n" || len(before) < 3 {
		t.Errorf("it said %q and left %v: the test would show nothing", said, before)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	next, err := NewFabric()
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if after := left(t, name); len(after) > 0 {
		t.Errorf("of a killed test are left %v", after)
	}
}

// left is what there is on this computer by a process's name.
func left(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, pattern := range []string{netnsFolder + "/", "/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		found, err := filepath.Glob(pattern + name + "-*")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.HasPrefix(line, name+" ") {
			all = append(all, line)
		}
	}
	return all
}
