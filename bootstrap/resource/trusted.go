package resource

import (
	"errors"
	"fmt"
	"slices"

	"reveille/bootstrap/host"
)

// trusted refuses a program that the agent is asked to run as root and that is
// not there, cannot be run, or that somebody else than root could have put
// there: a profile names a path, and whoever may write there would be root.
func trusted(h *host.Host, program string) error {
	real, err := h.Resolve(program)
	if err != nil {
		return err
	}
	i, err := h.Stat(real)
	switch {
	case err != nil:
		return err
	case !i.Exists:
		return fmt.Errorf("%s is not there; install it, or take it out of the profile", program)
	case !i.Mode.IsRegular():
		return fmt.Errorf("%s is no file that could be run", program)
	case i.Mode.Perm()&0o111 == 0:
		return fmt.Errorf("%s cannot be run; chmod 0755 %s", program, program)
	}
	folders, err := way(h, program)
	if err != nil {
		return err
	}
	for _, dir := range folders {
		if err := rootAlone(h, dir, dir+" above "+program); err != nil {
			return err
		}
	}
	return rootAlone(h, real, program)
}

// way is every folder that leads to a program, those on the way of its links
// included: whoever may write to one of them chooses what is found at the end.
func way(h *host.Host, program string) ([]string, error) {
	var folders []string
	walk, end := h.Walk(program), ""
	for next := walk.Next(); next != ""; next = walk.Next() {
		i, err := walk.Look()
		switch {
		case errors.Is(err, host.ErrLoop):
			return nil, fmt.Errorf("%s leads through too many levels of links: it is not run", program)
		case err != nil:
			return nil, err
		case i.Link != "":
			continue
		}
		if end != "" && end != "/" && !slices.Contains(folders, end) {
			folders = append(folders, end)
		}
		end = next
	}
	return folders, nil
}

// rootAlone says that root alone may change what is at a path.
func rootAlone(h *host.Host, p, what string) error {
	i, err := h.Stat(p)
	if err != nil {
		return err
	}
	mode := i.Mode.Perm()
	switch {
	case mode&0o002 != 0 || mode&0o020 != 0 && i.GID != 0:
		return fmt.Errorf("others than root may write to %s (mode %04o), and so choose what runs as root: it is not run; chmod go-w %s", what, mode, p)
	case i.UID != 0 && h.Owners():
		return fmt.Errorf("%s belongs to user %d, who may so choose what runs as root: it is not run; chown root %s", what, i.UID, p)
	}
	return nil
}
