package block

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
)

// Arrays are the kernel's md arrays, with the UUIDs that mdadm --detail says.
// The error names each that could not be read; the others are there beside it.
func Arrays(ctx context.Context, h *host.Host) ([]Array, error) {
	all, err := Assembled(h)
	arrays, errs := all[:0], []error{err}
	for _, a := range all {
		if err := a.Identify(ctx, h); err != nil {
			errs = append(errs, fmt.Errorf("array %s: %w", a.Kernel, err))
			continue
		}
		arrays = append(arrays, a)
	}
	return arrays, errors.Join(errs...)
}

// Assembled are the kernel's md arrays by what it says itself, which costs no
// process: without UUIDs and names, and of an inactive one with little else. The
// error is as of Arrays.
func Assembled(h *host.Host) ([]Array, error) {
	kernels, err := names(h, sysBlock)
	if err != nil {
		return nil, err
	}
	var arrays []Array
	var errs []error
	for _, k := range kernels {
		if i, _ := h.Stat(path.Join(sysBlock, k, "md")); !i.Exists {
			continue
		}
		a, err := readArray(h, k)
		if err == nil && a.State == "clear" {
			continue // a name that a stopped array left
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("array %s: %w", k, err))
			continue
		}
		arrays = append(arrays, a)
	}
	return arrays, errors.Join(errs...)
}

// readArray is what the kernel itself says.
func readArray(h *host.Host, kernel string) (Array, error) {
	a := Array{Kernel: kernel}
	var errs [5]error
	a.State, errs[0] = attribute(h, sysBlock, kernel, "md/array_state")
	a.Level, errs[1] = attribute(h, sysBlock, kernel, "md/level")
	devices, err := number(h, sysBlock, kernel, "md/raid_disks")
	a.Devices, errs[2] = int(devices), err
	degraded, err := number(h, sysBlock, kernel, "md/degraded") // raid0 has none: it has no such state
	a.Degraded, errs[3] = int(degraded), err
	a.Sync, errs[4] = syncing(h, kernel)
	if err := errors.Join(errs[:]...); err != nil {
		return Array{}, err
	}
	members, err := names(h, sysBlock, kernel, "slaves")
	if err != nil {
		return Array{}, err
	}
	for _, m := range members {
		state, err := attribute(h, sysBlock, kernel, "md/dev-"+m, "state")
		if err != nil {
			return Array{}, err
		}
		if option(state, "faulty") {
			a.Faulty = append(a.Faulty, m)
		} else {
			a.Members = append(a.Members, m)
		}
	}
	return a, nil
}

// Identify asks mdadm which array it is: the kernel's own md/uuid is new, zero
// while the array is inactive, and of old metadata another number. Of an
// inactive array neither says more; its members do.
func (a *Array) Identify(ctx context.Context, h *host.Host) error {
	out, err := look(ctx, h, "mdadm", "--detail", "--export", a.Node())
	if err != nil {
		return err
	}
	said := exported(string(out.Stdout))
	a.UUID, a.Name = said["MD_UUID"], withoutHost(said["MD_NAME"])
	if a.Level == "" {
		a.Level = said["MD_LEVEL"] // of a container, which no member has
	}
	if a.Running() || a.Level == "container" {
		return nil
	}
	var errs []error
	for _, m := range a.Members {
		member, ok, err := Examine(ctx, h, path.Join("/dev", m))
		if ok && (a.UUID == "" || a.UUID == member.UUID) {
			a.UUID, a.Name, a.Level, a.Devices = member.UUID, member.Name, member.Level, member.Devices
			a.Degraded = max(0, member.Devices-len(a.Members))
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// syncing is what the array is doing, and how far it is. "frozen" is nothing that
// is done.
func syncing(h *host.Host, kernel string) (string, error) {
	action, err := attribute(h, sysBlock, kernel, "md/sync_action")
	if err != nil || action == "" || action == "idle" || action == "frozen" {
		return "", err
	}
	done, err := attribute(h, sysBlock, kernel, "md/sync_completed")
	if err != nil {
		return "", err
	}
	return action + progress(done), nil
}

// progress of "65536 / 130944" is " 50.0%"; of "none" and "delayed", nothing.
func progress(done string) string {
	a, b, _ := strings.Cut(done, " / ")
	part, err := strconv.ParseUint(a, 10, 64)
	whole, err2 := strconv.ParseUint(b, 10, 64)
	if err != nil || err2 != nil || whole == 0 || part > whole {
		return ""
	}
	return fmt.Sprintf(" %.1f%%", 100*float64(part)/float64(whole))
}

// Spare is how many bytes of a member an array does not use, behind its data. An
// array that takes the same of each member uses as much as of the smallest.
func Spare(h *host.Host, a Array, member Disk) (int64, error) {
	at := "md/dev-" + member.Kernel
	offset, err := number(h, sysBlock, a.Kernel, at, "offset")
	used, err2 := number(h, sysBlock, a.Kernel, "md/component_size")
	if used == 0 { // a raid0 may use each otherwise
		used, err2 = number(h, sysBlock, a.Kernel, at, "size")
	}
	if err := errors.Join(err, err2); err != nil || used == 0 {
		return 0, errors.Join(err, fmt.Errorf("array %s: the kernel does not say how much of %s it uses", a.Kernel, member.Kernel))
	}
	return member.Size - offset*sector - used<<10, nil
}

// Format is the version of an array's superblocks, "1.2", and its layout, as the
// kernel counts the layouts of its level; 0 where the level has none.
func Format(h *host.Host, a Array) (version string, layout int64, err error) {
	version, err = attribute(h, sysBlock, a.Kernel, "md/metadata_version")
	if err == nil {
		layout, err = number(h, sysBlock, a.Kernel, "md/layout")
	}
	return version, layout, err
}
