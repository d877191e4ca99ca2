package resource

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Bounds of one try of a ready check. How long it may take to become so is the
// step's own Within.
const (
	ReadyConnect = 2 * time.Second  // a connection
	ReadyAnswer  = 5 * time.Second  // an HTTP answer
	ReadyCommand = 10 * time.Second // a command
)

// Ready is one check that the role's work is done: exactly one of its fields
// is set. It changes nothing, and is NotYet until the check is passed. Its ID
// is "ready:", the kind and what is asked; it is live.
type Ready struct {
	TCP     string   // "127.0.0.1:3306" takes connections
	HTTP    string   // this URL answers 2xx
	Unit    string   // this unit is active
	File    string   // this path is there
	Command []string // this ends with exit code 0; it must only look
}

// kind is what is asked, of what.
func (r Ready) kind() (string, string) {
	switch {
	case r.TCP != "":
		return "tcp", r.TCP
	case r.HTTP != "":
		return "http", r.HTTP
	case r.Unit != "":
		return "unit", r.Unit
	case r.File != "":
		return "file", r.File
	}
	return "command", strings.Join(r.Command, " ")
}

// ID is "ready:tcp:127.0.0.1:3306" and its like.
func (r Ready) ID() string {
	kind, what := r.kind()
	return "ready:" + kind + ":" + what
}

// Live is true: a machine that lies in a folder is never ready.
func (Ready) Live() bool { return true }

// Describe says what is asked, for golden plans.
func (r Ready) Describe() string {
	kind, what := r.kind()
	return map[string]string{
		"tcp":     "a connection to " + what + " is taken",
		"http":    what + " answers 2xx",
		"unit":    what + " is active",
		"file":    what + " is there",
		"command": "exit code 0 of " + what,
	}[kind] + "\n"
}

// Check asks once.
func (r Ready) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", r.ID(), host.ErrOffline)
	}
	kind, what := r.kind()
	switch kind {
	case "tcp":
		return nil, r.connects(ctx, h)
	case "http":
		return nil, r.answers(ctx, h)
	case "unit":
		return nil, r.runs(ctx, h)
	case "file":
		i, err := h.Stat(what)
		if err == nil && !i.Exists {
			err = &plan.NotYet{For: "file " + what}
		}
		return nil, err
	}
	return nil, r.passes(ctx, h)
}

// connects takes no answer but the connection: many servers wait for the
// client to speak first.
func (r Ready) connects(ctx context.Context, h *host.Host) error {
	try, cancel := context.WithTimeout(ctx, ReadyConnect)
	defer cancel()
	c, err := h.Dial(try, "tcp", r.TCP)
	if err != nil {
		return notYet(err, "connections to "+r.TCP)
	}
	return c.Close()
}

func (r Ready) runs(ctx context.Context, h *host.Host) error {
	state, err := h.Units().State(ctx, r.Unit)
	switch {
	case err != nil:
		return err
	case state == "active", state == "reloading", state == "refreshing":
		return nil
	case state == "masked":
		return fmt.Errorf("unit %s is masked; systemctl unmask %s lets it start", r.Unit, r.Unit)
	}
	return &plan.NotYet{For: fmt.Sprintf("unit %s, which is %s", r.Unit, state)}
}

// passes runs somebody's program, which a walk that may change nothing does
// not: nobody can promise that it only looks.
func (r Ready) passes(ctx context.Context, h *host.Host) error {
	if len(r.Command) == 0 {
		return errors.New("a ready check that asks nothing")
	}
	if plan.Allowed(ctx) == plan.Nothing {
		return &plan.NotYet{For: "a pass that may run " + r.Command[0]}
	}
	if err := trusted(h, r.Command[0]); err != nil {
		return err
	}
	try, cancel := context.WithTimeout(ctx, ReadyCommand)
	defer cancel()
	_, err := h.Run(try, r.Command[0], r.Command[1:]...)
	var exit *host.ExitError
	switch {
	case err == nil, errors.Is(err, host.ErrTooLarge):
		return nil
	case errors.As(err, &exit):
		return notYet(err, strings.Join(r.Command, " ")+" to end well")
	case try.Err() != nil && ctx.Err() == nil:
		return &plan.NotYet{For: fmt.Sprintf("%s to end within %s", strings.Join(r.Command, " "), ReadyCommand)}
	}
	return err
}

// notYet says what is waited for and how the last try ended.
func notYet(err error, what string) error {
	return &plan.NotYet{For: fmt.Sprintf("%s (%v)", what, err)}
}
