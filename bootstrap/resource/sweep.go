package resource

import (
	"errors"
	"path/filepath"
	"slices"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// Sweep takes away what a killed run has left: temporary files in the folders
// of the plan's files, of the files that are ours already, and of our own
// state. The agent calls it once a pass, under its lock and beside the steps,
// since a large folder takes long to list. It spares what this process writes.
func Sweep(h *host.Host, p plan.Plan) error {
	dirs := []string{unitsDir, servicesDir, filepath.Dir(confirmedPath), SavedDir, originals.Dir}
	var errs []error
	for _, s := range p {
		switch r := s.Resource.(type) {
		case File:
			target, err := h.Resolve(r.Path)
			errs = append(errs, err)
			dirs = append(dirs, filepath.Dir(r.Path), filepath.Dir(target))
		case Script:
			dirs = append(dirs, r.Journal)
		}
	}
	store, err := originals.Load(h)
	errs = append(errs, err)
	for _, e := range store.List() {
		dirs = append(dirs, filepath.Dir(e.Path))
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if filepath.IsAbs(dir) {
			errs = append(errs, h.Sweep(dir))
		}
	}
	return errors.Join(errs...)
}
