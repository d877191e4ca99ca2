package guest

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// enterGroups moves itself into the control groups named before --, and
// becomes what is named behind it.
const enterGroups = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"`

// hierarchies are where control groups of this computer are mounted that a
// container must have for itself: those by which its systemd knows services,
// which two containers in one group would take from each other, and the one
// that counts processor time.
func hierarchies() (roots []string, err error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		before, after, _ := strings.Cut(s.Text(), " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if len(where) < 5 || len(what) < 3 || where[3] != "/" {
			continue
		}
		options := strings.Split(what[2], ",")
		if what[0] == "cgroup2" || what[0] == "cgroup" && (slices.Contains(options, "name=systemd") || slices.Contains(options, "cpuacct")) {
			roots = append(roots, where[4])
		}
	}
	return roots, nil
}

// makeGroups makes a control group of a name in each hierarchy.
func makeGroups(name string) (groups []string, err error) {
	roots, err := hierarchies()
	if err != nil {
		return nil, fmt.Errorf("find this computer's control groups: %w", err)
	}
	for _, root := range roots {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return groups, errors.Join(fmt.Errorf("give a container control groups of its own: %w", err), removeGroups(groups))
		}
		groups = append(groups, dir)
	}
	return groups, nil
}

// removeGroups removes groups whose processes have ended. The last of them may
// still be on their way out, for long where a disk or the computer is busy.
func removeGroups(groups []string) error {
	var all []error
	for _, g := range groups {
		err := removeGroup(g)
		for range 3000 {
			if !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(10 * time.Millisecond) // the kernel tells nobody when a group is free
			err = removeGroup(g)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// removeGroup removes one and those in it: their files go with them.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroup(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("remove the control group %s: %w", dir, err)
	}
	return nil
}

// CPUTime is what all of a container's processes have used since its present
// boot, those that have ended included.
func (c *container) CPUTime() (time.Duration, error) {
	for _, g := range c.groups {
		if b, err := os.ReadFile(filepath.Join(g, "cpuacct.usage")); err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			return time.Duration(n), err
		}
		b, err := os.ReadFile(filepath.Join(g, "cpu.stat"))
		if used, ok := strings.CutPrefix(string(b), "usage_usec "); err == nil && ok {
			used, _, _ = strings.Cut(used, "\n")
			n, err := strconv.ParseInt(used, 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, errors.New("this computer counts no processor time of control groups")
}
