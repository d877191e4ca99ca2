// Package block tells what block devices this machine has, and what lies on
// them: disks by their volume ids, arrays, groups, file systems, mounts. It
// looks and changes nothing, and knows neither what is wanted nor why.
//
// Files of /sys and /proc are read here. Whatever reads a device itself runs in
// a child process with a deadline: a hung volume holds up whoever asks about
// it, and nobody else.
package block

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reveille/bootstrap/host"
)

// LookWithin is how long a tool may take to say what lies on a device.
const LookWithin = 10 * time.Second

// look runs a tool that reads devices.
func look(ctx context.Context, h *host.Host, name string, args ...string) (host.Output, error) {
	ctx, cancel := context.WithTimeout(ctx, LookWithin)
	defer cancel()
	return h.Run(ctx, name, args...)
}

const (
	sysBlock = "/sys/block"       // whole devices
	sysClass = "/sys/class/block" // partitions as well
)

// attribute is a file of /sys as one word or sentence: the kernel pads some
// with blanks. One that is not there is "": not every device has each.
func attribute(h *host.Host, elem ...string) (string, error) {
	data, err := h.ReadFile(path.Join(elem...))
	if gone(err) {
		return "", nil
	}
	return strings.Trim(string(data), " \t\n\x00"), err
}

// number is an attribute that counts something; 0 where it is not there or
// empty.
func number(h *host.Host, elem ...string) (int64, error) {
	text, err := attribute(h, elem...)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errors.New("read " + path.Join(elem...) + ": " + strconv.Quote(text) + " is no number")
	}
	return n, nil
}

// names is a folder of /sys; none where it is not there.
func names(h *host.Host, elem ...string) ([]string, error) {
	found, err := h.ReadDir(path.Join(elem...))
	if gone(err) {
		return nil, nil
	}
	return found, err
}

// gone says that there is no such thing, or that it went while it was read: a
// disk may be pulled at any time.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV)
}
