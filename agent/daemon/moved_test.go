package daemon

import (
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/facts"
)

// moves gives the instance another private address, of which no event tells.
func moves(r *rig) {
	f := crawl(thisID)
	f.Instance.PrivateIP = facts.Known("10.0.0.7")
	r.set(f)
}

func (r *rig) hasMoved() bool {
	return strings.Contains(r.m.Read("/etc/ganglia/gmond.conf"), "10.0.0.7")
}

// Stopped, started at another address, and up before the metadata service: the
// boot pass knows the kept address alone. When the service answers, files that
// hold the address get the new one, and nobody has to ask for that.
func TestAnAddressThatIsLearntLateReachesItsFiles(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		f := crawl(thisID)
		f.Source = facts.FromCache
		r.set(f)
		r.start()
		r.after(2 * time.Minute)
		if got := r.passes(); got != "boot" {
			t.Fatalf("passes while nobody answers: %s", got)
		}
		moves(r)
		r.mu.Lock()
		r.polled.Tags = facts.Absent[map[string]string]()
		r.mu.Unlock()
		r.after(5 * time.Minute)
		if !r.hasMoved() || r.passes() != "boot timer address" {
			t.Errorf("after %s:\n%s", r.passes(), text(r.report()))
		}
		r.after(time.Hour)
		if got := strings.Count(r.passes(), "address"); got != 1 {
			t.Errorf("passes: %s", r.passes())
		}
	})
}

// A change that the kernel could not tell of is found by the next look.
func TestAnAddressThatChangedUnheardIsFound(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.start()
		r.after(time.Minute)
		moves(r)
		r.after(20 * time.Minute)
		if !r.hasMoved() {
			t.Errorf("after %s:\n%s", r.passes(), text(r.report()))
		}
	})
}
