package guest

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// removeLeftovers ends the fabrics of processes that are no more, and removes
// their machines' control groups.
func removeLeftovers() error {
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
