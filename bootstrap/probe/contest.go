// Package probe asks servers whether they answer: name servers, directories,
// and file servers. It sends nothing that is secret, changes nothing, and leaves
// nothing running. It must not know why anybody wants to know.
package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Asker puts all of a contest's questions to a server and tells of each once
// what came of it, nil for an answer. It ends when the context does.
type Asker func(ctx context.Context, server string, tell func(question int, err error))

// Contest is new servers beside old ones.
type Contest struct {
	New, Old  []string
	Questions []string // at least one; "" needs no name
	AskNew    Asker
	AskOld    Asker
	Within    time.Duration // bounds all of it
}

// Outcome is what came of a contest. Its zero value is that a new server has
// answered each question.
type Outcome struct {
	Lost     bool   // no new server answers what an old one does
	Silent   bool   // no new server answers anything, and no old one either
	Question string // that was lost
	By       string // the old server that answers it
	Reasons  string // each new server, and why it does not count
}

// Run asks all side by side, and ends as soon as it is decided: each question
// answered by a new server, or one that no new one can answer any more and an
// old one has. Everything has ended when it returns. The error is the
// context's own.
func (c Contest) Run(ctx context.Context) (Outcome, error) {
	bounded, cancel := context.WithTimeout(ctx, c.Within)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()

	n := len(c.Questions)
	heard := make(chan verdict, (len(c.New)+len(c.Old))*n)
	ask := func(servers []string, fresh bool, ask Asker) {
		for _, s := range servers {
			all.Go(func() {
				ask(bounded, s, func(q int, err error) { heard <- verdict{s, fresh, q, err} })
			})
		}
	}
	ask(c.New, true, c.AskNew)
	ask(c.Old, false, c.AskOld)

	t := tally{Contest: c, answered: make([]bool, n), failed: make([][]verdict, n), old: make([]string, n)}
	for range cap(heard) {
		t.enter(<-heard)
		if err := ctx.Err(); err != nil {
			return Outcome{}, fmt.Errorf("ask servers whether they answer: %w", err)
		}
		if out, decided := t.decided(); decided {
			return out, nil
		}
	}
	return t.end(), nil
}

type verdict struct {
	server   string
	fresh    bool
	question int
	err      error
}

// tally is a contest that goes on, by question.
type tally struct {
	Contest
	answered []bool // by a new server
	failed   [][]verdict
	old      []string // who of the old ones answers; "" nobody yet
}

func (t *tally) enter(v verdict) {
	switch {
	case v.fresh && v.err == nil:
		t.answered[v.question] = true
	case v.fresh:
		t.failed[v.question] = append(t.failed[v.question], v)
	case v.err == nil && t.old[v.question] == "":
		t.old[v.question] = v.server
	}
}

func (t *tally) decided() (Outcome, bool) {
	won := true
	for q := range t.Questions {
		if !t.answered[q] && t.old[q] != "" && len(t.failed[q]) == len(t.New) {
			return t.lost(q), true
		}
		won = won && t.answered[q]
	}
	return Outcome{}, won
}

// end is what it is when everybody has been heard.
func (t *tally) end() Outcome {
	for q := range t.Questions {
		if t.answered[q] {
			return Outcome{}
		}
	}
	return Outcome{Silent: true, Reasons: t.reasons(0)}
}

func (t *tally) lost(q int) Outcome {
	return Outcome{Lost: true, Question: t.Questions[q], By: t.old[q], Reasons: t.reasons(q)}
}

func (t *tally) reasons(q int) string {
	var all []string
	for _, s := range t.New { // in their own order, not in that of their failing
		for _, v := range t.failed[q] {
			if v.server == s {
				all = append(all, s+": "+t.why(v.err))
			}
		}
	}
	return strings.Join(all, "; ")
}

func (t *tally) why(err error) string {
	// Which of the clocks is first to say so is a matter of chance.
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", t.Within)
	}
	return err.Error()
}
