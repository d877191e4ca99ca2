package daemon

import (
	"context"
	"fmt"
	"time"

	"reveille/bootstrap/host"
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

// askWithin bounds a question to systemd on whose answer somebody waits.
const askWithin = 300 * time.Millisecond
