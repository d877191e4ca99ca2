package resource

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
)

// SavedDir is where a version goes that somebody else wrote over a whole file
// of ours, before it is overwritten: nothing of a person's is lost. It is not
// put beside the file: programs that read a whole folder (conf.d, cron.d,
// sudoers.d) would take it for configuration. The latest is kept, one a path.
const SavedDir = "/var/lib/reveille/saved"

// maxWrote bounds the digests that a record remembers. More than one is needed
// after a kill between record and write.
const maxWrote = 8

// withDigest is the digests with this one the latest, at most once.
func withDigest(wrote []string, digest string) []string {
	out := slices.DeleteFunc(slices.Clone(wrote), func(d string) bool { return d == digest })
	out = append(out, digest)
	return out[max(0, len(out)-maxWrote):]
}

// preserve saves what is there, where it is neither the original nor ours.
func preserve(h *host.Host, rec originals.Record, now present) error {
	if !now.info.Exists || now.info.Link != "" {
		return nil
	}
	digest := originals.Digest(now.data)
	if slices.Contains(rec.Wrote, digest) || (rec.State == originals.Regular && rec.SHA256 == digest) {
		return nil
	}
	if err := h.Mkdir(SavedDir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(SavedDir); err != nil {
		return err
	}
	to := SavedDir + "/" + originals.Name(rec.Path)
	if err := h.Write(to, now.data, host.Attr{Mode: 0o600}); err != nil {
		return fmt.Errorf("save what somebody else wrote to %s: %w", rec.Path, err)
	}
	h.Log().Warn("saved what somebody else wrote", "path", rec.Path, "saved", to)
	return nil
}

// keptForm is an editor as it is kept, and proves that it can be read back:
// an edit that nobody can undo is not made.
func keptForm(e Editor) (originals.Edit, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return originals.Edit{}, fmt.Errorf("keep the %s edit: %w", e.Kind(), err)
	}
	back, err := editorOf(e.Kind(), data)
	if err != nil {
		return originals.Edit{}, fmt.Errorf("keep the %s edit: %w", e.Kind(), err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(data) {
		return originals.Edit{}, fmt.Errorf("keep the %s edit: it does not come back as it was kept", e.Kind())
	}
	return originals.Edit{Kind: e.Kind(), Data: data}, nil
}

// withEdit is the edits with this one the latest, at most once.
func withEdit(edits []originals.Edit, e originals.Edit) []originals.Edit {
	out := slices.DeleteFunc(slices.Clone(edits), func(o originals.Edit) bool { return sameEdit(o, e) })
	return append(out, e)
}

// sameEdit compares what the JSON says: a kept record is indented.
func sameEdit(a, b originals.Edit) bool {
	var x, y any
	if json.Unmarshal(a.Data, &x) != nil || json.Unmarshal(b.Data, &y) != nil {
		return false
	}
	return a.Kind == b.Kind && reflect.DeepEqual(x, y)
}

func sameRecord(a, b originals.Record) bool {
	return a.Concern == b.Concern && a.Attr == b.Attr && slices.Equal(a.Wrote, b.Wrote) &&
		slices.EqualFunc(a.Edits, b.Edits, sameEdit)
}

// undo takes edits out of a content, the latest first.
func undo(h *host.Host, rec originals.Record, edits []originals.Edit, now []byte) ([]byte, error) {
	original, err := rec.Bytes()
	if err != nil {
		return nil, err
	}
	for _, kept := range slices.Backward(edits) {
		e, err := editorOf(kept.Kind, kept.Data)
		if err != nil {
			return nil, fmt.Errorf("undo the edit of %s: %w", rec.Path, err)
		}
		if now, err = e.Undo(now, original); err != nil {
			return nil, fmt.Errorf("undo the %s edit of %s: %w", kept.Kind, rec.Path, err)
		}
	}
	return now, nil
}
