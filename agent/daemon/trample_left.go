package daemon

import (
	"context"
	"fmt"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// leftAlone is a file of ours that another program keeps rewriting: it is
// looked at, and no longer written.
type leftAlone struct {
	resource.File
	who string
}

// Check asks for nothing where the file is so, and is an error elsewhere.
func (l leftAlone) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	changes, err := l.File.Check(ctx, h)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return nil, fmt.Errorf("%s is left alone: %s rewrote it %d times within %s; keep that program from it, then `systemctl reload reveille` puts it right",
		l.Path, l.who, enoughRepairs, hours(fightFor))
}
