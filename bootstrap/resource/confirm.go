package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// confirmedDir holds one digest a path: what a boot pass that ended well has
// brought. To write that again is safe; anything else waits for a pass that
// may disrupt.
const confirmedDir = "/var/lib/reveille/confirmed"

// Confirmer is a resource whose present wish can be confirmed. The agent calls
// it for each step that is so at the end of a boot pass that ended well.
type Confirmer interface {
	Confirm(h *host.Host) error
}

// Confirm remembers what this file should be as good.
func (f File) Confirm(h *host.Host) error {
	d, err := f.digest(h)
	if err != nil {
		return fmt.Errorf("confirm %s: %w", f.Path, err)
	}
	return confirm(h, f.Path, d)
}

func (f File) risk(h *host.Host) (plan.Risk, error) {
	d, err := f.digest(h)
	if err != nil {
		return plan.Disrupts, err
	}
	return riskOf(h, f.Path, d)
}

// digest names what the file should be, whatever is there now: of an edit what
// it asks for, as the rest of the file is not ours.
func (f File) digest(h *host.Host) (string, error) {
	want := struct {
		Path, Owner, Group string
		Mode               fs.FileMode
		Content            []byte
		Edit               originals.Edit
	}{Path: f.Path, Owner: f.Owner, Group: f.Group, Mode: f.Mode.Perm()}
	var err error
	if f.Edit != nil {
		want.Edit, err = keptForm(f.Edit)
	} else {
		want.Content, err = f.fill(h)
	}
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(want)
	return originals.Digest(text), err
}

func riskOf(h *host.Host, path, digest string) (plan.Risk, error) {
	kept, err := h.ReadFile(confirmedPath(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return plan.Disrupts, nil
	case err != nil:
		return plan.Disrupts, err
	case string(kept) == digest+"\n":
		return plan.Safe, nil
	}
	return plan.Disrupts, nil
}

func confirm(h *host.Host, path, digest string) error {
	kept, err := h.ReadFile(confirmedPath(path))
	if err == nil && string(kept) == digest+"\n" {
		return nil
	}
	if err := h.Mkdir(confirmedDir, 0o700); err != nil {
		return err
	}
	// A power cut may take it back: then the boot that follows confirms anew.
	return h.Jot(confirmedPath(path), []byte(digest+"\n"), host.Attr{Mode: 0o600})
}

func forgetConfirmed(h *host.Host, path string) error { return h.Remove(confirmedPath(path)) }

func confirmedPath(path string) string { return confirmedDir + "/" + originals.Name(path) }
