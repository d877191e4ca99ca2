package facts

import (
	"context"
	"sync"

	"reveille/bootstrap/stack"
)

// idPath is asked first, alone: it costs the token, and an endpoint that
// cannot say whose it is is believed in nothing else.
const idPath = "meta-data/instance-id"

// reached is an endpoint and what it said when asked for the instance id.
type reached struct {
	client *client
	id     answer
}

// there says that something at the endpoint spoke HTTP, whatever it said.
func (r reached) there() bool {
	switch r.id.reason {
	case Refused, NoRoute, TimedOut:
		return false
	}
	return true
}

// reach asks the endpoints for the instance id and returns the first that is
// there, else the first of the list with its reason. A further endpoint is
// asked from the moment that an attempt at the one before it gets no answer,
// beside its further attempts and under the same deadline. The client is the
// caller's to close.
func reach(ctx context.Context, urls []string, o Options) reached {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		reached
		n int
	}
	results := make(chan result, len(urls))
	begin := make([]chan struct{}, len(urls)+1) // the last has no taker
	for n := range begin {
		begin[n] = make(chan struct{})
	}
	close(begin[0])
	for n, url := range urls {
		next := sync.OnceFunc(func() { close(begin[n+1]) })
		go func() {
			stack.Grow(24)
			c := newClient(url, o, next)
			a := answer{reason: NotAsked}
			select {
			case <-begin[n]:
				a = c.get(ctx, idPath)
			case <-ctx.Done():
			}
			results <- result{reached{c, a}, n}
		}()
	}
	all := make([]reached, len(urls))
	best := -1
	for range urls {
		r := <-results
		all[r.n] = r.reached
		// An endpoint that is there, or the end of a first one that never
		// gave the next a reason to begin, ends the race.
		if r.id.reason != NotAsked && r.there() && best < 0 {
			best = r.n
			cancel()
		}
	}
	return pick(all, max(best, 0))
}

// pick closes the clients that are not wanted. Where the one that is wanted
// did not answer, it says what the others did.
func pick(all []reached, n int) reached {
	won := all[n]
	for m, r := range all {
		if m == n {
			continue
		}
		r.client.close()
		if !won.there() && r.id.reason != "" && r.id.reason != NotAsked {
			won.id.detail += "; at " + r.client.endpoint + ": " + r.id.detail
		}
	}
	return won
}
