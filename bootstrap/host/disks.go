package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Disks is the part of udev that the agent needs.
type Disks interface {
	// Changes calls on for each whole disk that has come, gone or become
	// larger, by its kernel's name and once udev has done with it, from one
	// goroutine, until ctx ends. What is made of other devices (arrays, mapped
	// and loop devices) is none. A name of "" says that some were missed. The
	// error is nil at ctx's end, and else says why nothing more will be told.
	Changes(ctx context.Context, on func(kernel string)) error
}

// Disks is the machine's disks as they come and go.
func (h *Host) Disks() Disks { return h.disks }

func (offline) Changes(context.Context, func(string)) error { return ErrOffline }

// udev is the real one.
type udev struct{}

// udevGroup is where udev tells of an event after its rules have run; in the
// kernel's own group, 1, a disk has no links yet.
const udevGroup = 2

// Changes listens to udev's own messages.
func (udev) Changes(ctx context.Context, on func(string)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("listen for disks: %w", err)
	}
	f := os.NewFile(uintptr(fd), "udev")
	defer f.Close()
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (udevGroup - 1)}); err != nil {
		return fmt.Errorf("listen for disks: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = f.Close() })()
	buf := make([]byte, 16<<10)
	for {
		n, err := f.Read(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			on("")
		case err != nil:
			return fmt.Errorf("listen for disks: %w", err)
		default:
			if name, ok := changedDisk(buf[:n]); ok {
				on(name)
			}
		}
	}
}

// changedDisk reads a message of udev's: a header, which says at its byte 16
// where the properties begin, and those as KEY=value texts that end in zero
// bytes.
func changedDisk(message []byte) (kernel string, ok bool) {
	if !bytes.HasPrefix(message, []byte("libudev\x00")) || len(message) < 24 {
		return "", false
	}
	from := int(binary.NativeEndian.Uint32(message[16:]))
	if from < 24 || from > len(message) {
		return "", false
	}
	of := map[string]string{}
	for _, field := range bytes.Split(message[from:], []byte{0}) {
		key, value, _ := strings.Cut(string(field), "=")
		of[key] = value
	}
	name := strings.TrimPrefix(of["DEVNAME"], "/dev/")
	if of["SUBSYSTEM"] != "block" || of["DEVTYPE"] != "disk" || name == "" || madeOfOthers(name) {
		return "", false
	}
	// Whoever closes a disk that it wrote to makes udev tell of a change: only
	// one by the kernel is another size.
	return name, of["ACTION"] == "add" || of["ACTION"] == "remove" || of["ACTION"] == "change" && of["RESIZE"] == "1"
}

func madeOfOthers(name string) bool {
	for _, p := range []string{"md", "dm-", "loop", "ram", "zram", "nbd", "sr", "fd"} {
		if rest, ok := strings.CutPrefix(name, p); ok && (rest == "" || strings.HasSuffix(p, "-") || rest[0] >= '0' && rest[0] <= '9' || p == "md" && rest[0] == '_') {
			return true
		}
	}
	return false
}
