package facts

import (
	"sync/atomic"
	"testing"
)

// A crew of few becomes larger where some questions are not answered, so that
// they hold up no other; and what a task asks for is done however many wait.
func TestCrew(t *testing.T) {
	c := newCrew()
	defer c.close()
	held := make(chan struct{})
	var late, done atomic.Int64
	var all []func()
	for range few + 3 {
		all = append(all, func() { late.Add(1); <-held })
	}
	one := func() {
		if done.Add(1) == 400 {
			close(held)
		}
	}
	for range 200 {
		all = append(all, func() { c.run(one, one) })
	}
	c.run(all...)
	if late.Load() != few+3 || done.Load() != 400 {
		t.Errorf("%d and %d", late.Load(), done.Load())
	}
	if c.size >= parallel {
		t.Errorf("%d workers and the caller are more than %d", c.size, parallel)
	}
}

// Who waits for questions of his own does none of others: one that hangs would
// hold up whatever he asks next.
func TestWhoWaitsDoesHisOwn(t *testing.T) {
	c := newCrew()
	defer c.close()
	held, next := make(chan struct{}), make(chan struct{})
	slow := make([]func(), parallel-2) // those who wait, and one who does the rest, are left
	for i := range slow {
		slow[i] = func() { <-held }
	}
	go c.run(slow...)
	c.run(func() {
		c.run(func() {}, func() {})
		close(next)
	}, func() {
		<-next
		close(held)
	})
}
