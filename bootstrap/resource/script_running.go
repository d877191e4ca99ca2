package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"reveille/bootstrap/host"
)

// RunningScripts are the units of startup scripts that go on, among those that
// a journal has begun in this boot. A script does so without the agent.
func RunningScripts(ctx context.Context, h *host.Host, journal string) ([]string, error) {
	entries, err := h.Glob(journal + "/*.json")
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	boot, err := h.BootID()
	if err != nil {
		return nil, err
	}
	var units []string
	var errs []error
	for _, entry := range entries {
		text, err := h.ReadFile(entry)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var r scriptRecord
		// One that is damaged names no unit, and its own step says so.
		if json.Unmarshal(text, &r) != nil || r.State != scriptBegan || r.Boot != boot || r.Unit == "" {
			continue
		}
		t, err := h.Units().Task(ctx, r.Unit)
		if err != nil {
			errs = append(errs, fmt.Errorf("does %s go on: %w", r.Path, err))
		} else if t.Running() {
			units = append(units, r.Unit)
		}
	}
	return units, errors.Join(errs...)
}
