package converge

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The pauses between two looks at something that is not so yet.
const (
	shortest = 20 * time.Millisecond // even after an event: a storm of them must not become a busy loop
	first    = 50 * time.Millisecond // mean
	longest  = time.Second           // mean
)

// pause makes the steps of one machine, and one fault's machines, look again
// at different moments: full jitter, from nothing to double the mean.
type pause struct{ next *backoff.ExponentialBackOff }

func newPause() pause {
	return pause{&backoff.ExponentialBackOff{
		InitialInterval: first, Multiplier: 2, MaxInterval: longest, RandomizationFactor: 1,
	}}
}

// wait returns true when it is time to look again: after a while, or soon
// after the event. It returns false when the context ends first.
func (p pause) wait(ctx context.Context, event <-chan struct{}) bool {
	rest := max(0, p.next.NextBackOff()-shortest)
	return sleep(ctx, shortest, nil) && sleep(ctx, rest, event)
}

func sleep(ctx context.Context, d time.Duration, event <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-event:
	case <-t.C:
	}
	return ctx.Err() == nil
}
