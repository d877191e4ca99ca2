package storage

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// point refuses a place that would hide something, that is not where it says,
// or for which somebody else has a unit; and a device that somebody has mounted
// at another: its owner and mode are theirs.
func (m Mount) point(h *host.Host, s sight) error {
	if i, err := h.Lstat(path.Join(etcUnits, m.unit())); err != nil || i.Exists {
		return errors.Join(err, fmt.Errorf("%s is somebody's own unit for this path: remove it, or take the path out of storage.mounts", path.Join(etcUnits, m.unit())))
	}
	if slices.Contains([]string{"autofs", "nfs", "nfs4", "cifs"}, s.over) {
		return fmt.Errorf("the path lies on %s: give another one", s.over)
	}
	for at := m.Path; at != "/"; at = path.Dir(at) {
		i, err := h.Lstat(at)
		switch {
		case err != nil:
			return err
		case !i.Exists:
		case i.Link != "":
			return fmt.Errorf("%s is a link to %s: give the path that it leads to", at, i.Link)
		case !i.Mode.IsDir():
			return fmt.Errorf("%s is no folder: move it away, or give another path", at)
		case at == m.Path:
			names, err := h.ReadDir(at)
			if err != nil {
				return err
			}
			if len(names) > 0 {
				return fmt.Errorf("%s holds %s, which would be hidden: move it away, or give another path", at, path.Base(names[0]))
			}
		}
	}
	if len(s.elsewhere) > 0 {
		return fmt.Errorf("%s is mounted on %s already: `umount %s`, or give that path in storage.mounts", called(m.From.On), strings.Join(s.elsewhere, ", "), s.elsewhere[0])
	}
	return nil
}
