package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
)

// reloads marks, in a record, a unit that is reloaded and not restarted.
const reloads = "reload:"

// reader is how a record names the unit.
func (u Unit) reader() string {
	if u.Reload {
		return reloads + u.Name
	}
	return u.Name
}

// noteReader keeps with each file's original that the unit was started on our
// file: when the image's own goes back, no plan may name the unit any more.
func (u Unit) noteReader(h *host.Host) error {
	for _, f := range u.Reads {
		rec, kept, err := originals.Get(h, f.Path)
		if err != nil {
			return fmt.Errorf("note that %s reads %s: %w", u.Name, f.Path, err)
		}
		if !kept || slices.Contains(rec.Units, u.reader()) {
			continue
		}
		rec.Units = append(rec.Units, u.reader())
		if err := originals.Update(h, rec); err != nil {
			return fmt.Errorf("note that %s reads %s: %w", u.Name, f.Path, err)
		}
	}
	return nil
}

// restartReaders lets the units that run on our file read the one that is back.
// What says that they were started on ours goes before the job: should the
// file return, they are restarted again.
func restartReaders(ctx context.Context, h *host.Host, rec originals.Record) error {
	var errs []error
	for _, reader := range rec.Units {
		name, reload := strings.CutPrefix(reader, reloads)
		verb := "try-restart"
		if reload {
			verb = "reload"
		}
		if err := restartReader(ctx, h, verb, name); err != nil {
			errs = append(errs, fmt.Errorf("%s is put back, but %s may still run on what was there; systemctl %s %s: %w",
				rec.Path, name, verb, name, err))
		}
	}
	return errors.Join(errs...)
}

func restartReader(ctx context.Context, h *host.Host, verb, name string) error {
	if err := h.Remove(unitsDir + "/" + name); err != nil || !h.Live() {
		return err
	}
	state, err := h.Units().State(ctx, name)
	if err != nil {
		return err
	}
	switch state {
	case "active", "reloading", "refreshing", "activating":
		return h.Units().Enqueue(ctx, verb, name)
	}
	return nil // nothing runs that could have read ours
}
