package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

// rig is a daemon on a scripted machine, in a bubble of its own time: what
// takes it half an hour takes the test no time at all.
type rig struct {
	t     *testing.T
	m     *hosttest.Machine
	d     Daemon
	hup   chan os.Signal
	begun time.Time
	end   context.CancelFunc
	ended chan error

	mu     sync.Mutex
	said   []string
	polled facts.Watched
}

// inBubble runs a test of the daemon on a fresh machine.
func inBubble(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, m: machine(t, thisID), hup: make(chan os.Signal, 1)}
		r.set(crawl(thisID))
		f(t, r)
		if r.end != nil {
			r.stop()
		}
		time.Sleep(time.Minute) // whatever a pass has left behind comes to its end
	})
}

// set says what IMDS and the machine's files say from now on.
func (r *rig) set(f facts.Facts) {
	r.t.Helper()
	now := config(r.t, r.m.Host(), f)
	if r.d.Host == nil {
		r.d = Daemon{Config: now, Notify: r.notify, Hup: r.hup, blind: true,
			poll: func(context.Context) facts.Watched { r.mu.Lock(); defer r.mu.Unlock(); return r.polled }}
		return
	}
	b, err := os.ReadFile(now.FactsFile)
	if err == nil {
		err = os.WriteFile(r.d.FactsFile+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(r.d.FactsFile+".new", r.d.FactsFile)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) notify(state string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, state)
	return nil
}

// heard is whether the service manager was told so.
func (r *rig) heard(state string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.said, func(s string) bool { return strings.Contains(s, state) })
}

func (r *rig) start() {
	var ctx context.Context
	ctx, r.end = context.WithCancel(context.Background())
	r.begun, r.ended = time.Now(), make(chan error, 1)
	go func() { r.ended <- r.d.Run(ctx) }()
	synctest.Wait()
}

// stop ends the daemon, and says how long that took.
func (r *rig) stop() time.Duration {
	r.t.Helper()
	began := time.Now()
	r.end()
	if err := <-r.ended; err != nil {
		r.t.Errorf("it ended with %v", err)
	}
	r.end = nil
	return time.Since(began)
}

// after lets so much time pass.
func (r *rig) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// report is the newest one.
func (r *rig) report() api.Report {
	r.t.Helper()
	got, err := report.Load(r.m.Host())
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// passes are the kinds of all passes that ended, in order.
func (r *rig) passes() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kinds []string
	for _, s := range r.said {
		if head, _, ok := strings.Cut(s, " pass of "); ok {
			kinds = append(kinds, head[strings.LastIndex(head, " ")+1:])
		}
	}
	return strings.Join(kinds, " ")
}

func (r *rig) remove(path string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.m.Root, path)); err != nil {
		r.t.Fatal(err)
	}
}
