package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Back-off between attempts: a random part of a span that doubles from
// firstBackoff to lastBackoff, so that a fleet whose coordinator comes back
// does not return in step.
const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// SenderOptions tune a Sender. With the zero value it tries until it is closed.
type SenderOptions struct {
	Client ClientOptions
	Log    *slog.Logger // nil: discards
	// Once gives each report a single attempt: for a command that ends soon,
	// and would only wait between attempts.
	Once bool
	// Settled is called after each attempt, from the goroutine that made it:
	// what Untold says may be different now. Nil: nobody wants to know.
	Settled func()
}

// Sender reports to several coordinators, each on its own: one that hangs
// delays no other, and none delays the caller. For each it keeps only the
// newest report, since that is all that a coordinator would keep.
//
// A goroutine runs only for a coordinator that has something to be sent.
type Sender struct {
	lanes  []*lane
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewSender checks every URL and connects to none. A URL named twice counts
// once; no URL at all is a Sender that has nobody to tell. Close it in the end.
func NewSender(urls []string, o SenderOptions) (*Sender, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{cancel: cancel}
	seen := map[string]bool{}
	var errs []error
	for _, u := range urls {
		c, err := NewClient(u, o.Client)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !seen[c.URL()] {
			seen[c.URL()] = true
			s.lanes = append(s.lanes, newLane(ctx, c.URL(), c.Send, c.Close, &s.wg, o))
		}
	}
	if len(errs) > 0 {
		cancel()
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// Offer hands a report over for every coordinator and returns at once. It
// takes the place of an older one that is not sent yet. The caller must not
// change what the report points to afterwards.
func (s *Sender) Offer(r Report) {
	for _, l := range s.lanes {
		l.offer(r)
	}
}

// Flush tries at once whatever is unsent, and waits until each coordinator has
// its newest report or has refused it, or until ctx ends. The error names each
// coordinator that does not have it, with the reason. The Sender goes on
// trying after a Flush that ran out of time.
func (s *Sender) Flush(ctx context.Context) error {
	waits := make([]<-chan struct{}, len(s.lanes))
	for i, l := range s.lanes {
		waits[i] = l.hurry()
	}
	for _, w := range waits {
		select {
		case <-w:
		case <-ctx.Done():
		}
	}
	var errs []error
	for _, l := range s.lanes {
		errs = append(errs, l.outcome(ctx.Err()))
	}
	return errors.Join(errs...)
}

// errUnderWay is why a report that is being sent has not arrived.
var errUnderWay = errors.New("it is under way")

// Untold names each coordinator that does not have its newest report, with the
// reason, and waits for nobody: nil where all have it.
func (s *Sender) Untold() error {
	var errs []error
	for _, l := range s.lanes {
		errs = append(errs, l.outcome(errUnderWay))
	}
	return errors.Join(errs...)
}

// Close ends every attempt and connection and waits until they have ended.
func (s *Sender) Close() {
	s.cancel()
	for _, l := range s.lanes {
		l.close()
	}
	s.wg.Wait()
	for _, l := range s.lanes {
		l.release()
	}
}

// backoff is how long to wait after the n-th failure in a row, from 1.
func backoff(n int, err error) time.Duration {
	span := lastBackoff
	if n < 10 {
		span = min(firstBackoff<<(n-1), lastBackoff)
	}
	wait := rand.N(span)
	var p *Problem
	if errors.As(err, &p) {
		// What the coordinator asks for comes on top, else its whole fleet
		// would come back within the same second.
		wait += p.RetryAfter
	}
	return wait
}

func unsentError(url string, last, ctxErr error) error {
	switch {
	case last != nil:
		return last // it names the URL
	case ctxErr != nil:
		return fmt.Errorf("report to %s: not answered yet: %w", url, ctxErr)
	default:
		return fmt.Errorf("report to %s: not sent, the sender is closed", url)
	}
}
