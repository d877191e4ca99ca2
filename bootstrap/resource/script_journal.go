package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
)

// What the journal says of a script; "" is a script that was never begun.
const (
	scriptBegan  = "began"
	scriptFailed = "failed"
	scriptDone   = "done"
)

// scriptRecord is one script in the journal, in a file of its own.
type scriptRecord struct {
	Version int    `json:"version"`
	Path    string `json:"path"`
	State   string `json:"state"`
	Began   string `json:"began"` // RFC 3339
	Boot    string `json:"boot"`  // the kernel's id of the boot in which it began
	Unit    string `json:"unit"`  // that it was begun as
	Ended   string `json:"ended"` // "" until somebody has seen its end
	Said    string `json:"said"`  // of one that failed: how, and its last words
}

// entry is the script's file in the journal.
func (s Script) entry() string { return path.Join(s.Journal, originals.Name(s.Path)+".json") }

// done is a file whose presence calls the script done, whatever became of it:
// the way for a person who has finished its work by hand.
func (s Script) done() string { return path.Join(s.Journal, originals.Name(s.Path)+".done") }

// read is what the journal says. An entry that cannot be understood is an
// error: the script may have been run.
func (s Script) read(h *host.Host) (scriptRecord, error) {
	if !path.IsAbs(s.Path) || !path.IsAbs(s.Journal) {
		return scriptRecord{}, fmt.Errorf("script %q with the journal %q: two absolute paths are wanted", s.Path, s.Journal)
	}
	if i, err := h.Stat(s.done()); err != nil || i.Exists {
		return scriptRecord{State: scriptDone}, err
	}
	text, err := h.ReadFile(s.entry())
	if errors.Is(err, fs.ErrNotExist) {
		return scriptRecord{}, nil
	}
	if err != nil {
		return scriptRecord{}, fmt.Errorf("was %s run on this instance: %w", s.Path, err)
	}
	var r scriptRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return scriptRecord{}, fmt.Errorf("%s is damaged (%w), so that nobody knows whether %s was run; %s", s.entry(), err, s.Path, s.again())
	}
	if r.Version != 1 || r.State != scriptBegan && r.State != scriptFailed && r.State != scriptDone {
		return scriptRecord{}, fmt.Errorf("%s is of another version of reveille, so that this one does not know whether %s was run; %s", s.entry(), s.Path, s.again())
	}
	return r, nil
}

// write is durable when it returns: the record outlives a power cut. The
// folder is for root alone, since last words may tell much.
func (s Script) write(h *host.Host, r scriptRecord) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := h.Mkdir(s.Journal, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(s.Journal); err != nil {
		return err
	}
	return h.Write(s.entry(), append(text, '\n'), host.Attr{Mode: 0o600})
}
