package report

import (
	"encoding/json"
	"fmt"

	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// UntoldPath says which coordinators have not got the newest report, and why.
// The report itself is the one at Path: only the newest counts.
const UntoldPath = "/run/reveille/untold.json"

// Save puts the report where everyone on the machine may read it.
func Save(h *host.Host, r api.Report) error {
	b, err := Encode(r)
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if err := h.Write(Path, b, host.Public); err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

// Load reads the newest report; the error wraps fs.ErrNotExist where no pass
// has begun since the machine's start.
func Load(h *host.Host) (api.Report, error) {
	var r api.Report
	b, err := h.ReadFile(Path)
	if err != nil {
		return r, fmt.Errorf("read the newest report: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read the newest report %s: %w", Path, err)
	}
	return r, nil
}

// SaveUntold keeps which coordinators have not got the newest report, and why:
// a sentence each.
func SaveUntold(h *host.Host, untold []string) error {
	if len(untold) == 0 {
		return h.Remove(UntoldPath)
	}
	b, err := json.MarshalIndent(untold, "", "  ")
	if err != nil {
		return err
	}
	return h.Write(UntoldPath, append(b, '\n'), host.Public)
}

// LoadUntold is what SaveUntold kept; nothing where all have been told.
func LoadUntold(h *host.Host) []string {
	var untold []string
	if b, err := h.ReadFile(UntoldPath); err == nil {
		_ = json.Unmarshal(b, &untold) // a torn file says no more than none
	}
	return untold
}
