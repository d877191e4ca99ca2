package daemon

import (
	"fmt"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// differPath holds, until the next boot, the two ids of a machine whose firmware
// names another instance than the metadata service, which is believed.
const differPath = "/run/reveille/ids-differ"

// noteDiffer is called before the first change that is made for the id. Without
// it the next pass would take the files for another machine's, by the firmware's
// word, and undo what this one makes.
func noteDiffer(h *host.Host, f facts.Facts) error {
	id, ok := f.Instance.ID.Get()
	if !ok || f.Machine.DMI == "" || f.Machine.DMI == id || knownToDiffer(h, f.Machine.DMI, id) {
		return nil
	}
	if err := h.Write(differPath, []byte(f.Machine.DMI+" "+id+"\n"), host.Public); err != nil {
		return fmt.Errorf("note that the firmware names another instance: %w", err)
	}
	return nil
}

// knownToDiffer says that this boot's metadata service has named the owner of
// the files here, under this firmware.
func knownToDiffer(h *host.Host, dmi, owner string) bool {
	b, err := h.ReadFile(differPath)
	return err == nil && strings.TrimSpace(string(b)) == dmi+" "+owner
}
