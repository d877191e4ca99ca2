package facts

import (
	"sync"
	"time"

	"reveille/bootstrap/stack"
)

// crew asks the questions of a crawl. A few are enough where IMDS answers as it
// does on EC2, and each more costs a connection; they become more while
// questions lie there that nobody has come to.
type crew struct {
	tasks chan (<-chan func()) // where a task was put, once for each
	quit  chan struct{}

	mu   sync.Mutex
	size int
	more *time.Timer
}

func newCrew() *crew {
	c := &crew{tasks: make(chan (<-chan func()), 256), quit: make(chan struct{})}
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
// call it. The caller does what of it nobody has come to, and nothing else: a
// question of others that hangs must not hold up what follows here.
func (c *crew) run(all ...func()) {
	own := make(chan func(), len(all))
	var ended sync.WaitGroup
	for _, f := range all {
		ended.Add(1)
		own <- func() {
			defer ended.Done()
			f()
		}
		select {
		case c.tasks <- own:
		default: // more than is ever asked of an instance: the caller does it
		}
	}
	for take(own) {
	}
	ended.Wait()
}

// take does one task, if there is one.
func take(tasks <-chan func()) bool {
	select {
	case task := <-tasks:
		task()
		return true
	default:
		return false
	}
}

// work does tasks until the end.
func (c *crew) work() {
	for {
		select {
		case tasks := <-c.tasks:
			take(tasks)
		case <-c.quit:
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
			c.work()
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
