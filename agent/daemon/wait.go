package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// ErrWaited says that this boot's pass had not ended in time.
var ErrWaited = errors.New("this boot's pass has not ended yet")

// look is how often Wait reads the report: a file in memory, so it costs
// nothing, and no notification can be missed.
const look = 100 * time.Millisecond

// Wait returns the report of this boot's first finished pass. A report that an
// earlier boot left behind does not count, nor does one that cannot be read:
// the pass is about to replace it.
func Wait(ctx context.Context, h *host.Host) (api.Report, error) {
	boot := facts.ReadMachine(h).BootID
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		r, err := report.Load(h)
		if err == nil && r.BootID == boot && r.State != api.Booting {
			return r, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		select {
		case <-ctx.Done():
			return r, errors.Join(fmt.Errorf("%w: %w", ErrWaited, context.Cause(ctx)), err)
		case <-tick.C:
		}
	}
}
