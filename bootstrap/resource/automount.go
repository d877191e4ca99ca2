package resource

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Automount is a folder that autofs may cover: nobody's home lies in it,
// nothing else does, and autofs reads the master map that names it. It never
// changes anything; what would cover the folder needs it. Its ID is
// "automount:" + Path.
//
// autofs hides whatever is below its folder, and answers for every name there
// from the map: over a folder with local homes, their accounts would wait for
// the file server.
type Automount struct {
	Path string // absolute
	Map  string // the master map that names it, below MasterFolder
}

// Where autofs has its master map, and the folder whose maps belong to it if
// the master map says so.
const (
	MasterMap    = "/etc/auto.master"
	MasterFolder = "/etc/auto.master.d"
)

// ID is "automount:" and the path.
func (a Automount) ID() string { return "automount:" + a.Path }

// Describe says what is looked at, for golden plans.
func (a Automount) Describe() string {
	return "no home of a local account in it, nothing else in it, and " + MasterMap + " reads " + MasterFolder + "\n"
}

// Check looks, and has no changes.
func (a Automount) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	var errs []error
	for _, look := range []func(*host.Host) error{a.homes, a.empty, a.master} {
		if err := look(h); err != nil {
			errs = append(errs, fmt.Errorf("automount over %s: %w", a.Path, err))
		}
	}
	return nil, errors.Join(errs...)
}

// homes refuses a folder with the home of an account of this machine. Only
// what lets somebody in counts: Debian gives daemons homes that never were.
func (a Automount) homes(h *host.Host) error {
	text, err := h.ReadFile("/etc/passwd")
	if err != nil {
		return fmt.Errorf("whose homes are here: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 7 || !strings.HasPrefix(f[5], "/") || noLogin(f[6]) {
			continue
		}
		if home := path.Clean(f[5]); block.Within(home, a.Path) || home != "/" && block.Within(a.Path, home) {
			errs = append(errs, fmt.Errorf("%s is the home of the local account %s: choose another autofs.path, or move that home", home, f[0]))
		}
	}
	return errors.Join(errs...)
}

func noLogin(shell string) bool {
	name := path.Base(shell)
	return shell != "" && (name == "nologin" || name == "false" || name == "sync")
}

// empty refuses a folder that holds something, which would be hidden, and one
// on which something else is mounted. The folder of a running automount is not
// read, nor one on a file server: both could wait.
func (a Automount) empty(h *host.Host) error {
	on, kind, err := mountedOn(h, a.Path)
	switch {
	case err != nil:
		return err
	case on == a.Path && kind == "autofs":
		return nil
	case on == a.Path:
		return fmt.Errorf("%s is mounted there: umount %s, or choose another autofs.path", kind, a.Path)
	case slices.Contains([]string{"autofs", "nfs", "nfs4", "cifs"}, kind):
		return fmt.Errorf("it lies on %s, which is %s already: choose another autofs.path", on, kind)
	}
	i, err := h.Lstat(a.Path)
	switch {
	case err != nil || !i.Exists:
		return err
	case i.Link != "":
		return fmt.Errorf("it is a link to %s: choose another autofs.path", i.Link)
	case !i.Mode.IsDir():
		return errors.New("it is no folder: choose another autofs.path")
	}
	names, err := h.ReadDir(a.Path)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("it holds %s, which would be hidden: move it away, or choose another autofs.path", path.Base(names[0]))
	}
	return err
}

// mountedOn is the mount that a path lies on, of several the uppermost. A
// machine that lies in a folder has none.
func mountedOn(h *host.Host, p string) (on, kind string, err error) {
	if !h.Live() {
		return "/", "", nil
	}
	mounts, err := block.Mounts(h)
	if err != nil {
		return "", "", fmt.Errorf("what is mounted: %w", err)
	}
	for _, m := range mounts {
		if (block.Within(p, m.Path) || m.Path == "/") && len(m.Path) >= len(on) {
			on, kind = m.Path, m.Type
		}
	}
	return on, kind, nil
}

// master refuses an autofs that would never read our map, which its own
// auto.master leaves out, or that has another map for the folder: of two the
// first counts, without a word. One that is not installed has no auto.master.
func (a Automount) master(h *host.Host) error {
	i, err := h.Stat(MasterMap)
	if err != nil || !i.Exists {
		return err
	}
	maps, err := h.Glob(MasterFolder + "/*.autofs")
	if err != nil {
		return err
	}
	reads := false
	for _, file := range append([]string{MasterMap}, maps...) {
		if file == a.Map {
			continue
		}
		text, err := h.ReadFile(file)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			switch {
			case len(f) == 0:
			case strings.TrimSuffix(f[0], "/") == "+dir:"+MasterFolder:
				reads = true
			case strings.TrimSuffix(f[0], "/") == a.Path:
				return fmt.Errorf("%s has a map for it already, %q: take that line out, or choose another autofs.path", file, strings.TrimSpace(line))
			}
		}
	}
	if !reads {
		return fmt.Errorf("%s has no line +dir:%s, so that %s would not be read: add that line", MasterMap, MasterFolder, a.Map)
	}
	return nil
}
