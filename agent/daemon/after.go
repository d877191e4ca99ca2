package daemon

import (
	"context"
	"time"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/resource"
)

// lookBackAfter is how long after a boot pass its files are looked at once more. It
// is shorter than the time between two passes, and longer than what had begun
// before our files were there takes to its end.
const lookBackAfter = 5 * time.Second

// lookBack asks for a look where somebody has written over a file that the boot
// pass has just written. The pass begins the moment a route appears, and a DHCP
// client's script is still at work then: it has read its own files before ours
// told it to leave resolv.conf alone, and writes it this once.
func (l *loop) lookBack(ctx context.Context, e ending) {
	if e.kind != Boot || !e.out.Done {
		return
	}
	wrote := map[string]bool{}
	for _, s := range e.out.Report.Steps {
		wrote[s.ID] = s.State == string(converge.Changed)
	}
	var files []resource.File
	for _, s := range e.out.Wanted.Plan {
		if f, ok := s.Resource.(resource.File); ok && wrote[s.ID()] {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return
	}
	l.work.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookBackAfter):
		}
		for _, f := range files {
			if changes, err := f.Check(ctx, l.Host); err == nil && len(changes) > 0 {
				l.log().Info("a file was written over as soon as it was ours", "path", f.Path)
				l.asks.add(Timer)
				return
			}
		}
	})
}

// lateCloudInit asks for the boot pass once more at the end of a cloud-init
// stage that outlasted the wait for it: what it read before our files were
// there may have given the host another name, which no lesser pass takes back.
func (l *loop) lateCloudInit(ctx context.Context, e ending) {
	id := e.out.Report.InstanceID
	if e.kind != Boot || !e.out.Done || !awaited(l.Host, id) {
		return
	}
	l.work.Go(func() {
		waited, err := stageEnds(ctx, l.Host, id)
		if err != nil || !waited { // a stage that will not come has nothing to end
			if err != nil && ctx.Err() == nil {
				l.log().Warn("what cloud-init's network stage leaves is not looked at: it "+err.Error(), "remedy", "systemctl reload reveille")
			}
			return
		}
		l.log().Info("cloud-init's network stage has ended after all")
		l.asks.add(Boot)
	})
}
