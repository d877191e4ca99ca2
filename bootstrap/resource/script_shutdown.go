package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"reveille/bootstrap/host"
)

// ScriptEnd is how one script of a shutdown ended.
type ScriptEnd struct {
	Path string
	Took time.Duration
	Err  error // nil: it ended well
}

// ErrNoTime says that a script's turn never came, or ended too early.
var ErrNoTime = errors.New("the time for all shutdown scripts together was over")

// RunShutdown runs the scripts one after another within one bound for all of
// them, and returns how each ended, in order. One that fails keeps no other
// from its turn: each is the last chance for its own work. The one that runs
// when the time is over gets SIGTERM, and SIGKILL host.KillAfter later, so that
// the whole ends by then. On is told as each ends; it may be nil.
func RunShutdown(ctx context.Context, h *host.Host, paths []string, within time.Duration, on func(ScriptEnd)) []ScriptEnd {
	ctx, cancel := context.WithTimeoutCause(ctx, within, ErrNoTime)
	defer cancel()
	ends := make([]ScriptEnd, 0, len(paths))
	for _, p := range paths {
		began := time.Now()
		e := ScriptEnd{Path: p, Err: shutdownScript(ctx, h, p)}
		e.Took = time.Since(began)
		ends = append(ends, e)
		if on != nil {
			on(e)
		}
	}
	return ends
}

func shutdownScript(ctx context.Context, h *host.Host, program string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("not run: %w", context.Cause(ctx))
	}
	if err := trusted(h, program); err != nil {
		return err
	}
	return runChild(ctx, h, program)
}

// runChild runs a program to its end, or ends it. A child it is, and no unit:
// systemd begins nothing in a machine that goes down. The error says how it
// ended and its last words.
func runChild(ctx context.Context, h *host.Host, program string) error {
	out, err := h.Run(ctx, program)
	var exit *host.ExitError
	switch {
	case err == nil, errors.Is(err, host.ErrTooLarge) && out.Code == 0: // that it said much is no fault of its
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("killed before its end (%w)%s", context.Cause(ctx), out.LastWords())
	case errors.As(err, &exit) && exit.Code >= 0:
		return fmt.Errorf("exit code %d%s", exit.Code, exit.Output.LastWords())
	case exit != nil:
		return fmt.Errorf("ended by a signal%s", exit.Output.LastWords())
	}
	return err
}
