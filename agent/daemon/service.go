package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
)

// service is the unit that runs the daemon.
const service = "reveille.service"

// Running says in words whether the daemon runs, "" where systemd does not
// know of it.
func Running(ctx context.Context, h *host.Host) string {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	state, err := h.Units().State(ctx, service)
	switch {
	case err != nil || state == "absent":
		return ""
	case state == "active":
		return "the daemon runs and looks again by itself"
	}
	return fmt.Sprintf("the daemon does not look: %s is %s; systemctl status %s", service, state, service)
}

// noDaemon is an error where the daemon runs, or is about to. Where systemd
// does not say, none is taken to.
func noDaemon(ctx context.Context, h *host.Host) error {
	if !h.Live() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*askWithin)
	defer cancel()
	state, err := h.Units().State(ctx, service)
	if err != nil {
		h.Log().Warn("whether the daemon runs is not known; one that does would write again", "error", err)
		return nil
	}
	if slices.Contains([]string{"active", "activating", "reloading"}, state) {
		return fmt.Errorf("%s is %s, and its next pass would write again before an image is made; `systemctl stop %s`, then clean", service, state, service)
	}
	return nil
}

// noScript is an error where a startup script goes on, as one does without the
// agent, or where that cannot be seen.
func noScript(ctx context.Context, h *host.Host) error {
	if !h.Live() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*askWithin)
	defer cancel()
	journals, err := h.Glob(facts.InstancesPath + "/*/scripts")
	if err != nil {
		return fmt.Errorf("see whether a startup script goes on: %w", err)
	}
	for _, journal := range journals {
		units, err := resource.RunningScripts(ctx, h, journal)
		if err != nil {
			return fmt.Errorf("see whether a startup script goes on: %w", err)
		}
		if len(units) > 0 {
			return fmt.Errorf("%s, a startup script, goes on and may write; wait for its end, or stop it by `systemctl stop '%s'`, then clean", units[0], units[0])
		}
	}
	return nil
}

// noTool is an error where something is being made on a volume, which goes on
// without the agent, or where that cannot be seen: without the note of it nobody
// would know what it is.
func noTool(ctx context.Context, h *host.Host) error {
	if !h.Live() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*askWithin)
	defer cancel()
	folders, err := h.Glob(facts.InstancesPath + "/*/" + storageConcern)
	if err != nil {
		return fmt.Errorf("see whether something is being made on a volume: %w", err)
	}
	for _, folder := range folders {
		units, err := storage.Running(ctx, h, folder)
		if err != nil {
			return fmt.Errorf("see whether something is being made on a volume: %w", err)
		}
		if len(units) > 0 {
			return fmt.Errorf("%s is making something on a volume; wait for its end (`systemctl status '%s'`), then clean", units[0], units[0])
		}
	}
	return nil
}

// Undoes says in words that this machine will not stay restored by itself, ""
// where nothing of the agent's would run again.
func Undoes(ctx context.Context, h *host.Host) string {
	const until = "; `systemctl disable --now reveille` leaves it as it is, `reveille pause REASON` for a while"
	if !h.Live() || Braked(h, facts.ReadIdentity(h).DMI, time.Now()) != "" {
		return ""
	}
	if noDaemon(ctx, h) != nil {
		return "the daemon runs: at a changed address, a reload or the next boot it makes this machine what it should be again" + until
	}
	if by, err := resource.EnabledBy(h, service); err == nil && len(by) > 0 {
		return service + " is enabled: the next boot makes this machine what it should be again" + until
	}
	return ""
}

// askWithin bounds a question to systemd on whose answer somebody waits.
const askWithin = 300 * time.Millisecond
