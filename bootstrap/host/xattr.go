package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// notCopied speak of the old file's bytes (a hash, a signature) or give power
// to them: on new content they would be wrong or dangerous.
var notCopied = map[string]bool{
	"security.capability": true,
	"security.ima":        true,
	"security.evm":        true,
}

// copyXattrs takes the SELinux label, ACLs and other extended attributes of
// what is at the path (of a link: its own) over to the new file.
func (h *Host) copyXattrs(from string, to *os.File) error {
	names, err := listXattrs(from)
	if err != nil {
		return fmt.Errorf("list extended attributes: %w", err)
	}
	for _, name := range names {
		if notCopied[name] {
			continue
		}
		value, err := getXattr(from, name)
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err == nil && !hasXattr(to, name, value) {
			err = unix.Fsetxattr(int(to.Fd()), name, value, 0)
		}
		// A label that an unprivileged person may not set, in a folder.
		if err = h.allowed(err); err != nil {
			return fmt.Errorf("take over the extended attribute %s: %w", name, err)
		}
	}
	return nil
}

// hasXattr spares a set that a container may be forbidden: the kernel gives
// most new files the right label by itself.
func hasXattr(f *os.File, name string, value []byte) bool {
	now, err := grow(func(b []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), name, b) })
	return err == nil && bytes.Equal(now, value) && len(value) > 0
}

func listXattrs(path string) ([]string, error) {
	buf, err := grow(func(b []byte) (int, error) { return unix.Llistxattr(path, b) })
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	var names []string
	for _, n := range bytes.Split(buf, []byte{0}) {
		if len(n) > 0 {
			names = append(names, string(n))
		}
	}
	return names, err
}

func getXattr(path, name string) ([]byte, error) {
	return grow(func(b []byte) (int, error) { return unix.Lgetxattr(path, name, b) })
}

// grow asks for the size, then for the bytes, and again where they grew.
func grow(read func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := read(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		buf := make([]byte, n)
		n, err = read(buf)
		if errors.Is(err, unix.ERANGE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}
