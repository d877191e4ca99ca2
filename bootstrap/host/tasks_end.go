package host

import (
	"context"

	godbus "github.com/godbus/dbus/v5"
)

// Ends listens on systemd's own socket alone: where that is not to be had, early
// looks are no loss.
func (systemd) Ends(ctx context.Context, unit string) (<-chan struct{}, error) {
	c, err := dial(ctx) // closed when ctx ends
	if err != nil {
		return nil, err
	}
	signals, ends := make(chan *godbus.Signal, 64), make(chan struct{}, 1)
	c.Signal(signals)
	go func() {
		for s := range signals { // closed with the connection
			if endsJob(s, unit) {
				select {
				case ends <- struct{}{}:
				default:
				}
			}
		}
	}()
	return ends, nil
}

// endsJob reads JobRemoved: the job's number and path, its unit, its result.
func endsJob(s *godbus.Signal, unit string) bool {
	if s == nil || s.Name != "org.freedesktop.systemd1.Manager.JobRemoved" || len(s.Body) < 3 {
		return false
	}
	of, _ := s.Body[2].(string)
	return of == unit
}
