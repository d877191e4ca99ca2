package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// confirmedPath has a digest a path: what a boot pass that ended well has
// brought. To write that again is safe; anything else waits for a pass that
// may disrupt.
const confirmedPath = "/var/lib/reveille/confirmed.json"

// Confirmer is a resource that has something of its own to remember.
type Confirmer interface {
	Confirm(h *host.Host) error
}

// Confirm remembers these as good: of files what they should be, as one, and of
// others what they ask for. The agent calls it at the end of a boot pass that
// ended well, with what is so.
func Confirm(h *host.Host, so []plan.Resource) error {
	confirming.Lock()
	defer confirming.Unlock()
	kept, err := confirmed(h)
	if err != nil {
		return err
	}
	var errs []error
	news := false
	for _, r := range so {
		switch r := r.(type) {
		case File:
			digest, err := r.digest(h)
			if err != nil {
				errs = append(errs, fmt.Errorf("confirm %s: %w", r.Path, err))
				continue
			}
			news = news || kept[r.Path] != digest
			kept[r.Path] = digest
		case Confirmer:
			errs = append(errs, r.Confirm(h))
		}
	}
	if news {
		errs = append(errs, keepConfirmed(h, kept, h.Jot))
	}
	return errors.Join(errs...)
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
	kept, err := confirmed(h)
	if err == nil && kept[path] == digest {
		return plan.Safe, nil
	}
	return plan.Disrupts, err
}

// confirmed is what is remembered. A power cut may take it back, or leave a file
// without its bytes: then the boot that follows confirms anew.
func confirmed(h *host.Host) (map[string]string, error) {
	all := map[string]string{}
	text, err := h.ReadFile(confirmedPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return all, err
	}
	if err == nil && (json.Unmarshal(text, &all) != nil || all == nil) {
		return map[string]string{}, nil
	}
	return all, nil
}

func keepConfirmed(h *host.Host, all map[string]string, write func(string, []byte, host.Attr) error) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return write(confirmedPath, append(text, '\n'), host.Attr{Mode: 0o600})
}

// forgetConfirmed takes one out again, for good: a power cut must not bring back
// that a file which was restored may be written anew.
func forgetConfirmed(h *host.Host, path string) error {
	confirming.Lock()
	defer confirming.Unlock()
	kept, err := confirmed(h)
	if _, ok := kept[path]; err != nil || !ok {
		return err
	}
	if delete(kept, path); len(kept) == 0 {
		return h.Remove(confirmedPath)
	}
	return keepConfirmed(h, kept, h.Write)
}

// confirming is held from a look at the file to its change: files go back side
// by side.
var confirming sync.Mutex
