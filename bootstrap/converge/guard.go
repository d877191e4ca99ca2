package converge

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"reveille/bootstrap/plan"
	"reveille/bootstrap/stack"
)

// Grace is how long a resource may take to stop after its deadline, or after
// the walk was cancelled, before it is left behind.
const Grace = time.Second

// ErrAbandoned says that a resource's code went on after it was told to stop.
// It is left running, so that it holds up nothing that does not need it; what
// it answers later counts for nothing.
var ErrAbandoned = errors.New("abandoned")

// Panic is the error of a step whose resource panicked: a fault in the agent,
// not in the machine.
type Panic struct {
	Doing string // ID and what was being done
	Value any
	Stack []byte // for the journal; no part of the error's text
}

func (p *Panic) Error() string {
	return fmt.Sprintf("%s: a fault in reveille itself, please report it: panic: %v", p.Doing, p.Value)
}

// late is the cause of a context whose step had its time.
type late struct{ within time.Duration }

func (l *late) Error() string { return fmt.Sprintf("not so within %v", l.within) }

// Is lets callers ask with context.DeadlineExceeded as well.
func (l *late) Is(err error) bool { return err == context.DeadlineExceeded }

// hand is the goroutine that runs the code of one step's resource, one call
// after the other. It may be left behind in the midst of a call; then nobody
// calls it any more.
type hand chan func()

func newHand() hand {
	h := make(hand)
	go func() {
		stack.Grow(12)
		for call := range h {
			call()
		}
	}()
	return h
}

// guarded has a hand run a resource's code: what it panics with becomes an
// error, and it can be left behind.
func guarded[T any](ctx context.Context, h hand, doing string, f func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1) // room for an answer that nobody waits for any more
	h <- func() {
		a := answer{err: fmt.Errorf("%s: ended its goroutine without an answer", doing)}
		defer func() {
			if v := recover(); v != nil {
				a = answer{err: &Panic{Doing: doing, Value: v, Stack: debug.Stack()}}
			}
			answers <- a
		}()
		value, err := f(ctx)
		a = answer{value, err}
	}
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(Grace)
	defer grace.Stop()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-grace.C:
		var none T
		return none, fmt.Errorf("%w: %s had not stopped %v after it was told to; it may hang in the kernel", ErrAbandoned, doing, Grace)
	}
}

// withCause adds to an error why the context ended, where it has: resources
// know only that it did.
func withCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) || waitsFor(err) != nil {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

// waitsFor are the NotYets of an error that is nothing but NotYets. Where any
// other error is joined to them the whole is final, and the answer is nil.
func waitsFor(err error) []*plan.NotYet {
	switch e := err.(type) {
	case nil:
		return nil
	case *plan.NotYet:
		return []*plan.NotYet{e}
	case interface{ Unwrap() error }:
		return waitsFor(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*plan.NotYet
		for _, part := range e.Unwrap() {
			waits := waitsFor(part)
			if waits == nil {
				return nil
			}
			all = append(all, waits...)
		}
		return all
	}
	return nil
}
