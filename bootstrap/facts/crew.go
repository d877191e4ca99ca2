package facts

import (
	"sync"
	"sync/atomic"
	"time"

	"reveille/bootstrap/stack"
)

// crew asks the questions of a crawl. A few are enough where IMDS answers as it
// does on EC2, and each more costs a connection; they become more while
// questions lie there that nobody has come to.
type crew struct {
	tasks chan func()
	quit  chan struct{}

	mu   sync.Mutex
	size int
	more *time.Timer
}

func newCrew() *crew {
	c := &crew{tasks: make(chan func(), 256), quit: make(chan struct{})}
	c.hire(few - 1) // the caller of run is one more
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more = time.AfterFunc(slow, c.grow)
	return c
}

func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more.Stop()
	close(c.quit)
}

// run has all done, in no order, and returns when each has ended. A task may
// call it: who waits does whatever lies there.
func (c *crew) run(all ...func()) {
	var ended atomic.Int64
	done := make(chan struct{})
	for _, f := range all {
		task := func() {
			f()
			if ended.Add(1) == int64(len(all)) {
				close(done)
			}
		}
		select {
		case c.tasks <- task:
		default: // more than is ever asked of an instance
			task()
		}
	}
	if len(all) > 0 {
		c.work(done)
	}
}

// work does tasks until the end.
func (c *crew) work(end <-chan struct{}) {
	for {
		select {
		case <-end:
			return
		default:
		}
		select {
		case task := <-c.tasks:
			task()
		case <-end:
			return
		}
	}
}

func (c *crew) hire(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; n > 0 && c.size < parallel-1; n-- {
		c.size++
		go func() {
			stack.Grow(24)
			c.work(c.quit)
		}()
	}
}

// grow looks for questions that nobody has come to.
func (c *crew) grow() {
	if len(c.tasks) > 0 {
		c.hire(few)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.quit:
	default:
		c.more.Reset(slow)
	}
}
