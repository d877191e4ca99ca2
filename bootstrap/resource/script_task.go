package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// unitBegin begins the names of the units that scripts run in.
const unitBegin = "reveille-script-"

// unit is the name that the script runs under.
func (s Script) unit() string {
	return host.TaskUnit(unitBegin, unit.UnitNamePathEscape(s.Path))
}

// launch notes that the script begins, has it begun, and leaves the waiting to
// the next looks. Journal and systemd are asked once more: two passes never
// begin one script.
func (s Script) launch(ctx context.Context, h *host.Host) error {
	switch r, err := s.read(h); {
	case err != nil:
		return err
	case r.State != "":
		return fmt.Errorf("%s was begun by somebody else at %s", s.Path, r.Began)
	}
	t, err := h.Units().Task(ctx, s.unit())
	switch {
	case err != nil:
		return fmt.Errorf("%s was not run: %w", s.Path, err)
	case t.Running():
		return s.wait(s.unit())
	case t.State != "absent":
		// A person, or a clean, has removed the entry of a run that has ended.
		// Its end must not be taken for the end of the next one.
		if err := h.Units().Forget(ctx, s.unit()); err != nil {
			return fmt.Errorf("%s was not run: %w", s.Path, err)
		}
		return &plan.NotYet{For: "systemd to forget an earlier run of " + s.Path}
	}
	boot, err := h.BootID()
	if err != nil {
		return fmt.Errorf("%s was not run: %w", s.Path, err)
	}
	began := scriptRecord{Version: 1, Path: s.Path, State: scriptBegan, Began: now(), Boot: boot, Unit: s.unit()}
	if err := s.write(h, began); err != nil {
		return fmt.Errorf("%s was not run: note that it begins: %w", s.Path, err)
	}
	err = h.Units().Launch(ctx, host.Task{Unit: began.Unit, Description: "Startup script " + s.Path + " of this instance's role", Argv: []string{s.Path}, Within: s.within()})
	switch {
	case errors.Is(err, host.ErrNotBegun): // a later pass may try
		return errors.Join(fmt.Errorf("%s was not run: %w", s.Path, err), h.Remove(s.entry()))
	case err != nil:
		return fmt.Errorf("whether %s was begun is not known: %w; the next pass looks, and does not run it a second time", s.Path, err)
	}
	return s.wait(began.Unit)
}

// end notes how the script ended.
func (s Script) end(ctx context.Context, h *host.Host, r scriptRecord, t host.TaskState) error {
	r.Ended, r.State = now(), scriptDone
	if t.State == "failed" {
		r.State, r.Said = scriptFailed, t.How(s.within())+said(ctx, h, r)+" ("+host.LogOf(r.Unit)+" has all that it said)"
	}
	if err := s.write(h, r); err != nil {
		return fmt.Errorf("%s has ended, but that was not noted: %w", s.Path, err)
	}
	return nil
}

// said are the script's last words.
func said(ctx context.Context, h *host.Host, r scriptRecord) string {
	began, err := time.Parse(time.RFC3339, r.Began)
	if err != nil {
		return ""
	}
	return h.WordsSince(ctx, r.Unit, began)
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }
