package daemon

import (
	"context"
	"testing"

	"reveille/coordinator/api"
)

// A stage that outlasts the wait is followed by another boot pass, and one that
// has ended in time by none.
func TestAStageThatOutlastsTheWaitIsFollowedByAPass(t *testing.T) {
	m := machine(t, thisID)
	h, asked := cloudy(t, m, activating)
	l := Daemon{Config: config(t, h, crawl(thisID))}.newLoop()
	ctx, cancel := context.WithCancel(t.Context())
	defer l.work.Wait()
	defer cancel()
	ended := ending{kind: Boot, out: Outcome{Done: true, Report: api.Report{InstanceID: thisID}}}
	l.lateCloudInit(ctx, ended)
	<-asked
	if k := l.asks.take(); k != "" {
		t.Errorf("a %s pass is asked for while the stage goes on", k)
	}
	m.Put("/var/lib/cloud/data/status.json", cloudEnded, 0o644)
	<-l.asks.wake
	if k := l.asks.take(); k != Boot {
		t.Errorf("a %q pass, want boot", k)
	}
	l.lateCloudInit(ctx, ended)
	l.work.Wait()
	if k := l.asks.take(); k != "" {
		t.Errorf("a %s pass after a stage that has long ended", k)
	}
}
