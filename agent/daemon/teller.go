package daemon

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"reveille/agent/report"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// teller keeps trying to tell the coordinators of the newest report, for as
// long as the daemon runs: one that was away hears of it when it comes back.
// The zero teller is not ready for use; see newTeller.
type teller struct {
	host *host.Host
	log  *slog.Logger

	mu     sync.Mutex
	urls   []string
	sender *api.Sender // nil: nobody is to be told
}

func newTeller(h *host.Host, log *slog.Logger) *teller { return &teller{host: h, log: log} }

// tell offers a report to everyone that should have it, and gives them a
// moment to take it.
func (t *teller) tell(ctx context.Context, out Outcome) {
	s, err := t.to(out.Whom)
	if s == nil {
		t.keep(lines(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	spread(ctx, out.Whom)
	s.Offer(out.Report)
	if err := s.Flush(ctx); err != nil {
		t.log.Info("not every coordinator has got the report; it is tried again", "error", err)
	}
	t.note(s)
}

// to is a sender to these, the present one if it is theirs.
func (t *teller) to(urls []string) (*api.Sender, error) {
	t.mu.Lock()
	now, same := t.sender, slices.Equal(urls, t.urls)
	t.mu.Unlock()
	if same {
		return now, nil
	}
	t.close()
	if len(urls) == 0 {
		return nil, nil
	}
	var s *api.Sender
	s, err := api.NewSender(urls, api.SenderOptions{Log: t.log, Settled: func() { t.note(s) }})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sender, t.urls = s, slices.Clone(urls)
	return s, nil
}

// note keeps on disk whom the newest report has not reached; a sender that has
// been replaced says nothing any more.
func (t *teller) note(s *api.Sender) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sender == s {
		t.keep(lines(s.Untold()))
	}
}

func (t *teller) keep(untold []string) {
	if slices.Equal(untold, report.LoadUntold(t.host)) {
		return
	}
	if err := report.SaveUntold(t.host, untold); err != nil {
		t.log.Warn("which coordinators have not got the report could not be kept", "error", err)
	}
}

// close ends every attempt. What was said of them stays on disk.
func (t *teller) close() {
	t.mu.Lock()
	s := t.sender
	t.sender, t.urls = nil, nil
	t.mu.Unlock()
	if s != nil { // not under the lock, which its last attempt may want
		s.Close()
	}
}

// spread keeps a fleet that boots together from telling all at once.
func spread(ctx context.Context, urls []string) {
	if onLoopback(urls) { // nobody shares a coordinator on this machine
		return
	}
	select {
	case <-time.After(rand.N(tellSpread)):
	case <-ctx.Done():
	}
}
