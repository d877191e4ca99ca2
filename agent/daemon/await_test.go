package daemon

import (
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
)

// A fact that is not known does not become known by waiting for it within the
// walk: the pass says so at once, and what needs no such fact is done.
func TestAPassDoesNotWaitForFactsThatItCannotReadAgain(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	f := crawl(thisID)
	f.Instance.PrivateIP = facts.Unknown[string](facts.ServerError, "")
	m.Put("/etc/resolv.conf", "somebody else's\n", 0o644)
	done := make(chan Outcome, 1)
	go func() { done <- boot(t, m.Host(), f) }()
	select {
	case out := <-done:
		if out.Report.State != api.Failed || m.Read("/etc/resolv.conf") == "somebody else's\n" {
			t.Errorf("the pass:\n%s", text(out.Report))
		}
	case <-time.After(10 * time.Second):
		t.Error("the pass waits for a fact that nobody reads")
		<-done
	}
}
