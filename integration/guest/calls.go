package guest

import (
	"strconv"
	"sync"
)

// calls are the requests on a connection that an answer is waited for, by the
// id that both bear. Once the connection has ended nothing more is asked.
type calls[T any] struct {
	mu      sync.Mutex
	next    int
	pending map[string]chan T
	gone    error // why nothing more will be answered
}

// expect is the id of a new request and where its answer will be. That is
// closed without one when the connection ends, and why says the reason.
func (c *calls[T]) expect() (string, <-chan T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone != nil {
		return "", nil, c.gone
	}
	if c.pending == nil {
		c.pending = map[string]chan T{}
	}
	c.next++
	id, answer := strconv.Itoa(c.next), make(chan T, 1)
	c.pending[id] = answer
	return id, answer, nil
}

// answer hands an answer to whoever waits for it; nobody may.
func (c *calls[T]) answer(id string, with T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if waiting, ok := c.pending[id]; ok {
		waiting <- with
		delete(c.pending, id)
	}
}

// answerAll hands one answer to all that wait.
func (c *calls[T]) answerAll(with T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, waiting := range c.pending {
		waiting <- with
		delete(c.pending, id)
	}
}

// end says that nothing more will be answered, and why.
func (c *calls[T]) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = why
	for id, waiting := range c.pending {
		close(waiting)
		delete(c.pending, id)
	}
}

// forget gives up waiting for one.
func (c *calls[T]) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// why is the reason for which nothing more is answered; nil while the
// connection is there.
func (c *calls[T]) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// idle says that nobody waits for an answer.
func (c *calls[T]) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) == 0
}
