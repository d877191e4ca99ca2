package daemon

import (
	"cmp"
	"math/rand/v2"
	"time"

	"reveille/bootstrap/converge"
)

// Times is the pace of a daemon. A zero is the default that stands behind it.
type Times struct {
	Every    time.Duration // from the end of a pass to a look that nobody asked for: 10 min
	Poll     time.Duration // between two looks at tags and life-cycle: 1 min
	Apart    time.Duration // from the end of a pass to the next one, at least: 30 s
	Debounce time.Duration // from a trigger to its pass, as more may follow: 1 s
	Pass     time.Duration // a pass is ended after this: 5 min
	ReadyBy  time.Duration // from the start to READY, whatever hangs: 10 s
	Stop     time.Duration // for a pass to end once told to: 700 ms
}

func (t Times) withDefaults() Times {
	t.Every = cmp.Or(t.Every, 10*time.Minute)
	t.Poll = cmp.Or(t.Poll, time.Minute)
	t.Apart = cmp.Or(t.Apart, 30*time.Second)
	t.Debounce = cmp.Or(t.Debounce, time.Second)
	t.Pass = cmp.Or(t.Pass, DefaultPass)
	t.ReadyBy = cmp.Or(t.ReadyBy, 10*time.Second)
	t.Stop = cmp.Or(t.Stop, 700*time.Millisecond)
	return t
}

// readyAgain is the time to another READY, where the service manager did not
// take the first.
const readyAgain = 2 * time.Second

// DefaultPass bounds a pass.
const DefaultPass = 5 * time.Minute

// hangs is how long past its own end a pass may take before the daemon takes
// itself for stuck: a step that is abandoned, coordinators and the lock have
// had their time by then.
const hangs = lockWait + tellWithin + 10*converge.Grace

// jitter spreads a fleet that was started together: between ¾ and 1¼.
func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2+1) }
