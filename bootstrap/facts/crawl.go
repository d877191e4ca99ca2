package facts

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"sync"
)

// crawl is one reading of IMDS: its questions go out in parallel, and what
// did not answer is told once.
type crawl struct {
	ctx    context.Context
	cancel context.CancelFunc
	client *client
	crew   *crew // nil: nobody is asked

	mu       sync.Mutex
	problems []Problem
	dead     *answer // why nothing more is asked; nil: go on
	naked    bool    // something came by version 1
}

// run takes several lines of questions side by side to their ends.
func (c *crawl) run(all ...func()) {
	if c.crew != nil {
		c.crew.run(all...)
		return
	}
	for _, f := range all {
		f()
	}
}

// ask asks one question. When no token can be had, every other question ends
// with the same reason at once: each would wait as long for its own token.
func (c *crawl) ask(path string) answer {
	if d := c.isDead(); d != nil {
		return *d
	}
	a := c.client.get(c.ctx, path)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.naked = c.naked || a.naked
	switch {
	case c.dead != nil && a.reason != "":
		return *c.dead
	case a.reason == "":
		return a
	}
	c.problems = append(c.problems, Problem{Path: path, Reason: a.reason, Detail: a.detail})
	if a.token && c.ctx.Err() == nil {
		c.end(path, a)
	}
	return a
}

func (c *crawl) isDead() *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// end stops the crawl; the lock is held.
func (c *crawl) end(path string, a answer) {
	c.dead = &answer{reason: a.reason, detail: "not asked, as " + path + " failed: " + a.detail}
	c.cancel()
}

// problem notes an answer that cannot be used.
func (c *crawl) problem(path string, r Reason, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, Problem{Path: path, Reason: r, Detail: detail})
}

// told are the problems in a fixed order, whatever order they came in.
func (c *crawl) told() []Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	sort.Slice(c.problems, func(i, j int) bool {
		a, b := c.problems[i], c.problems[j]
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Detail, b.Detail)) < 0
	})
	return slices.Compact(c.problems)
}

// errEmpty is a parser's word for "there is none".
var errEmpty = errors.New("empty")

// parsed asks and reads the answer by parse.
func parsed[T any](c *crawl, path string, parse func(string) (T, error)) Fact[T] {
	return use(c, path, c.ask(path), parse)
}

// use makes a fact of an answer.
func use[T any](c *crawl, path string, a answer, parse func(string) (T, error)) Fact[T] {
	if a.absent {
		return Absent[T]()
	}
	if a.reason != "" {
		return Unknown[T](a.reason, a.detail)
	}
	v, err := parse(a.body)
	if errors.Is(err, errEmpty) {
		return Absent[T]()
	}
	if err != nil {
		c.problem(path, Malformed, err.Error())
		return Unknown[T](Malformed, err.Error())
	}
	return Known(v)
}
