package daemon

import (
	"fmt"
	"strings"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// bootedPath holds the id of the boot whose boot pass has decided what this
// machine should be, and walked there. The report cannot say so: a later pass
// has its own.
const bootedPath = "/run/reveille/booted"

// bootedNow says that this boot's boot pass has been made. What cannot be read
// says that it has not: a boot pass too many does no harm.
func bootedNow(h *host.Host) bool {
	now := facts.ReadBootID(h)
	return now != "" && bootNoted(h, bootedPath, now)
}

// reported says that a pass of this boot has been told of.
func reported(h *host.Host, bootID string) bool {
	r, err := report.Load(h)
	return err == nil && r.BootID == bootID && r.State != api.Booting
}

// noteBooted is called under the lock, after the report is on disk.
func noteBooted(h *host.Host, bootID string) error {
	if bootID == "" || bootedNow(h) {
		return nil
	}
	if err := noteBoot(h, bootedPath, bootID); err != nil {
		return fmt.Errorf("note that this boot's pass has been made: %w", err)
	}
	return nil
}

// noteBoot keeps a boot's id in a file, for what is so once in each boot.
func noteBoot(h *host.Host, path, bootID string) error {
	return h.Write(path, []byte(bootID+"\n"), host.Public)
}

// bootNoted says that a file holds this boot's id. What cannot be read holds
// none.
func bootNoted(h *host.Host, path, bootID string) bool {
	b, err := h.ReadFile(path)
	return err == nil && strings.TrimSpace(string(b)) == bootID
}
