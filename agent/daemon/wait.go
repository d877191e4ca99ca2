package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// ErrWaited says that this boot's pass had not ended in time.
var ErrWaited = errors.New("this boot's pass has not ended yet")

// Wait looks at the report when the kernel says that it changed, and now and
// then all the same, as a folder may come in the moment it begins to watch.
// Where it cannot watch it looks often: a file in memory costs nothing.
const (
	lookAnyway = time.Second
	lookBlind  = 100 * time.Millisecond
)

// Wait returns the report of this boot's first finished pass. A report that an
// earlier boot left behind does not count, nor does one that cannot be read:
// the pass is about to replace it.
func Wait(ctx context.Context, h *host.Host) (api.Report, error) {
	boot := facts.ReadBootID(h)
	w, failed := h.Watch()
	if failed == nil {
		defer w.Close()
	}
	for {
		next, changed := lookBlind, (<-chan struct{})(nil)
		if failed == nil && w.Add(path.Dir(report.Path)) == nil {
			next, changed = lookAnyway, w.Events()
		}
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
		case <-changed:
		case <-time.After(next):
		}
	}
}
