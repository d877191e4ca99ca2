package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// removeLeftovers ends the fabrics of processes that are no more, and removes
// their machines' control groups and mounts. The machines ended with them.
func removeLeftovers() error {
	return errors.Join(leftNetworks(), leftGroups(), leftMounts())
}

func leftNetworks() error {
	networks, err := filepath.Glob(filepath.Join(netnsFolder, prefix+"*"))
	if err != nil {
		return err
	}
	for _, path := range networks {
		if name := filepath.Base(path); orphaned(name) {
			if err := endNetwork(name); err != nil {
				return fmt.Errorf("remove the network that a killed test left: %w", err)
			}
		}
	}
	return nil
}

func leftGroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		groups, err := filepath.Glob(filepath.Join(root, prefix+"*"))
		if err != nil {
			return err
		}
		for _, g := range groups {
			if !orphaned(filepath.Base(g)) {
				continue
			}
			// A busy one is for the next time.
			if err := removeGroup(g); err != nil && !errors.Is(err, syscall.EBUSY) {
				return err
			}
		}
	}
	return nil
}

func leftMounts() error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[2] != "overlay" || !strings.HasPrefix(f[0], prefix) || !orphaned(f[0]) {
			continue
		}
		if err := unix.Unmount(f[1], unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unmount %s, which a killed test left: %w", f[1], err)
		}
	}
	return nil
}

// orphaned tells whether the process that a name is of has ended.
func orphaned(name string) bool {
	owner, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
	pid, err := strconv.Atoi(owner)
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// endNetwork ends what runs in a network and removes it. Another process may
// be at the same.
func endNetwork(name string) error {
	inside, _ := exec.Command("ip", "netns", "pids", name).Output()
	for _, p := range strings.Fields(string(inside)) {
		if n, err := strconv.Atoi(p); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	err := run(exec.Command("ip", "netns", "del", name))
	if err != nil && strings.Contains(err.Error(), "No such file") {
		return nil
	}
	return err
}
