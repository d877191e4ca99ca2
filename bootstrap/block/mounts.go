package block

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
)

// Mount is a mounted file system.
type Mount struct {
	Path     string
	Source   string // "/dev/nvme1n1"
	Major    int    // of the device that it lies on
	Minor    int
	Type     string
	Root     string // the folder of the file system that is seen there; "/" is all of it
	ReadOnly bool   // the mount or the file system
}

// Mounts are all mounts of the machine, in the kernel's order: of two of one
// path, the later hides the earlier.
func Mounts(h *host.Host) ([]Mount, error) {
	data, err := h.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	mounts, err := parseMounts(string(data))
	if err != nil {
		return nil, fmt.Errorf("read /proc/self/mountinfo: %w", err)
	}
	return mounts, nil
}

// parseMounts reads lines such as
//
//	163 20 259:6 / /mnt/a\040b rw,relatime shared:70 - xfs /dev/nvme5n1 rw,attr2
//	id parent device root path options [tags…] - type source options
func parseMounts(text string) ([]Mount, error) {
	var mounts []Mount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 6 || len(fields) < dash+4 {
			return nil, fmt.Errorf("%q is no mount", line)
		}
		m := Mount{Root: Unescape(fields[3]), Path: Unescape(fields[4]), Type: fields[dash+1], Source: Unescape(fields[dash+2])}
		var err error
		if m.Major, m.Minor, err = deviceNumber(fields[2]); err != nil {
			return nil, err
		}
		m.ReadOnly = option(fields[5], "ro") || option(fields[dash+3], "ro")
		mounts = append(mounts, m)
	}
	return mounts, nil
}

func option(list, want string) bool { return slices.Contains(strings.Split(list, ","), want) }

func deviceNumber(text string) (major, minor int, err error) {
	a, b, ok := strings.Cut(text, ":")
	if !ok {
		return 0, 0, fmt.Errorf("%q is no device's number", text)
	}
	if major, err = strconv.Atoi(a); err == nil {
		minor, err = strconv.Atoi(b)
	}
	return major, minor, err
}

// Unescape puts back what the kernel, and fstab, write as a backslash and three
// octal digits: blanks, line ends, backslashes.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Within says that a path is a folder, or lies in it; both are clean.
func Within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}
