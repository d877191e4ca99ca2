package storage

import (
	"encoding/json"
	"fmt"
	"slices"

	"reveille/bootstrap/host"
)

// forget takes a step's intent away from these volumes: nothing was written.
func (s Common) forget(h *host.Host, stepID string, volumes []string) error {
	for _, volume := range volumes {
		f, err := s.intentsOf(h, volume)
		if err != nil {
			return err
		}
		f.Intents = slices.DeleteFunc(f.Intents, func(i intent) bool { return i.For == stepID })
		text, err := json.MarshalIndent(f, "", "  ")
		if err != nil {
			return err
		}
		if err := h.Write(s.intentFile(volume), append(text, '\n'), host.Attr{Mode: 0o600}); err != nil {
			return fmt.Errorf("note that nothing was made on %s: %w", volume, err)
		}
	}
	return nil
}
