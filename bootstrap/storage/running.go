package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"

	"reveille/bootstrap/host"
)

// Running are the units of tools that go on making something on a
// volume, among what is noted as begun below an instance's storage folder. They
// do so without the agent.
func Running(ctx context.Context, h *host.Host, folder string) ([]string, error) {
	files, err := h.Glob(path.Join(folder, "intents") + "/*.json")
	if err != nil {
		return nil, err
	}
	var units []string
	var errs []error
	met := map[string]bool{}
	for _, file := range files {
		text, err := h.ReadFile(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var f intents
		if json.Unmarshal(text, &f) != nil {
			continue // its own step says so
		}
		for _, i := range f.Intents {
			name := toolUnit(i.For)
			if !i.half() || met[name] {
				continue
			}
			met[name] = true
			t, err := h.Units().Task(ctx, name)
			if err != nil {
				errs = append(errs, fmt.Errorf("does %s go on: %w", i.For, err))
			} else if t.Running() {
				units = append(units, name)
			}
		}
	}
	return units, errors.Join(errs...)
}
