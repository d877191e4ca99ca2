package block

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// Holders are the kernel names of what lies directly upon a disk or another
// block device: arrays, device-mapper's, partitions. Sorted; none where there is
// no such device.
func Holders(h *host.Host, kernel string) ([]string, error) {
	held, err := names(h, sysClass, kernel, "holders")
	if err != nil {
		return nil, err
	}
	// A partition is a folder within its disk's.
	inside, err := names(h, sysClass, kernel)
	if err != nil {
		return nil, err
	}
	for _, name := range inside {
		part, err := isPartition(h, path.Join(sysClass, kernel, name))
		if err != nil {
			return nil, err
		}
		if part {
			held = append(held, name)
		}
	}
	slices.Sort(held)
	return held, nil
}

func isPartition(h *host.Host, folder string) (bool, error) {
	i, err := h.Lstat(path.Join(folder, "partition"))
	return i.Exists, err
}

// Below are the kernel names of the whole disks that a block device lies upon,
// however many layers down, sorted; of a whole disk, itself.
func Below(h *host.Host, kernel string) ([]string, error) {
	found := map[string]bool{}
	if err := below(h, kernel, found, nil); err != nil {
		return nil, err
	}
	var disks []string
	for k := range found {
		disks = append(disks, k)
	}
	slices.Sort(disks)
	return disks, nil
}

func below(h *host.Host, kernel string, found map[string]bool, above []string) error {
	if slices.Contains(above, kernel) {
		return fmt.Errorf("%s lies upon itself, says %s", kernel, sysClass)
	}
	under, err := directlyBelow(h, kernel)
	if err != nil {
		return err
	}
	if len(under) == 0 {
		found[kernel] = true
		return nil
	}
	above = append(slices.Clone(above), kernel)
	for _, u := range under {
		if err := below(h, u, found, above); err != nil {
			return err
		}
	}
	return nil
}

// directlyBelow is a partition's disk, or what an array or a device-mapper's is
// made of; none of a whole disk.
func directlyBelow(h *host.Host, kernel string) ([]string, error) {
	folder := path.Join(sysClass, kernel)
	i, err := h.Stat(folder)
	if err != nil {
		return nil, err
	}
	if kernel == "" || !i.Exists {
		return nil, fmt.Errorf("block device %q: %w", kernel, fs.ErrNotExist)
	}
	part, err := isPartition(h, folder)
	if err != nil {
		return nil, err
	}
	if !part {
		return names(h, folder, "slaves")
	}
	real, err := h.Resolve(folder)
	if err != nil {
		return nil, err
	}
	return []string{path.Base(path.Dir(real))}, nil
}

// Mapped is the kernel name of a device-mapper device, "dm-3"; "" where there is
// none of that name.
func Mapped(h *host.Host, name string) (string, error) {
	kernels, err := names(h, sysBlock)
	if err != nil {
		return "", err
	}
	var errs []error
	for _, k := range kernels {
		if !strings.HasPrefix(k, "dm-") {
			continue
		}
		has, err := attribute(h, sysBlock, k, "dm/name")
		if err == nil && has == name && name != "" {
			return k, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}
