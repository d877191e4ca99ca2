package daemon

import (
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"reveille/bootstrap/facts"
)

var imds = []netip.Addr{netip.MustParseAddr("169.254.169.254")}

// The crawl of every pass waits for a way to IMDS, and a machine that lies in a
// folder for none.
func TestAPassWaitsForTheNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.m.Unroute()
		p := Pass{Config: r.d.Config}.patient()
		ended := make(chan error, 1)
		go func() { ended <- p.Facts.Ready(t.Context(), imds) }()
		r.after(20 * time.Second)
		select {
		case err := <-ended:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		r.m.Route()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		folder := r.d.Config
		folder.Host = r.m.Offline()
		if (Pass{Config: folder}).patient().Facts.Ready != nil {
			t.Error("a folder waits for a network")
		}
	})
}

// A boot pass that found no way to IMDS is made again when there is one, not at
// some later look.
func TestAWayThatAppearsLateAsksForTheBootPass(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.d.newLoop()
		defer l.work.Wait()
		r.m.Unroute()
		l.network.imds.Store(&imds)
		l.last.Facts.Instance.ID = facts.Unknown[string](facts.NoRoute, "")
		l.awaitLost(t.Context())
		l.awaitLost(t.Context()) // one that waits is enough
		r.after(time.Hour)
		if k := l.asks.take(); k != "" {
			t.Fatalf("a %s pass was asked for without a way", k)
		}
		r.m.Route()
		synctest.Wait()
		if k := l.asks.take(); k != Boot {
			t.Errorf("a pass of kind %q was asked for", k)
		}
	})
}

// The strongest reason stays, whatever the order, and is taken once.
func TestAsksAreOneQuestion(t *testing.T) {
	a := newAsks()
	for _, k := range []Kind{Timer, Hup, Address} {
		a.add(k)
	}
	a.forget(Address)
	if k := a.take(); k != Hup {
		t.Errorf("asked for %q", k)
	}
	if k := a.take(); k != "" || len(a.wake) != 0 {
		t.Errorf("asked again for %q", k)
	}
	a.add(Address)
	a.forget(Address)
	if k := a.take(); k != "" || len(a.wake) != 0 {
		t.Errorf("answered, and asked for %q", k)
	}
}

// A boot pass that did nothing but wait is no reason to wait again: the event
// that it waited for is answered at once.
func TestAPassThatOnlyWaitedPutsNobodyOff(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		release, err := r.m.Host().Lock(t.Context(), LockPath)
		if err != nil {
			t.Fatal(err)
		}
		r.start()
		r.after(lockWait + time.Second)
		if got := r.passes(); got != "" || !r.heard("no pass was made") {
			t.Fatalf("somebody else holds the lock, and yet: %s", r.said)
		}
		release()
		r.hup <- syscall.SIGHUP
		r.after(3 * time.Second)
		if got := r.passes(); got != "boot" {
			t.Errorf("three seconds after it could be made: %q", got)
		}
	})
}
