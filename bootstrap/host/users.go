package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// User is the uid of a name in the machine's own /etc/passwd, or of a number.
// No directory is asked: what owns a system file must be local. "root" is 0
// even where there is no such file.
func (h *Host) User(name string) (int, error) { return h.lookup("user", "/etc/passwd", name) }

// Group is the gid of a name in the machine's own /etc/group, as User is.
func (h *Host) Group(name string) (int, error) { return h.lookup("group", "/etc/group", name) }

func (h *Host) lookup(what, file, name string) (int, error) {
	if name == "root" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	data, err := h.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("look up %s %s: %w", what, name, err)
	}
	for line := range strings.Lines(string(data)) {
		// Both files: name, password, number, …
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 3 || f[0] != name || name == "" {
			continue
		}
		n, err := strconv.ParseUint(f[2], 10, 31)
		if err != nil {
			return 0, fmt.Errorf("look up %s %s: the line in %s has no number: %q", what, name, file, f[2])
		}
		return int(n), nil
	}
	return 0, fmt.Errorf("no %s %q in %s; install the package that creates it", what, name, file)
}
