package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"reveille/agent"
	"reveille/agent/debug"
	"reveille/bootstrap/facts"
	"reveille/roles"
	"reveille/roles/logins"
)

func bindDebugLogin(a *app, fs *flag.FlagSet) runner {
	var asked debug.LoginAsked
	fs.StringVar(&asked.BreakGlass, "break-glass", "", "the local account that must always get in is `USER`, whatever the profile says")
	fs.StringVar(&asked.Local, "user", "", "work out the local `USER` instead of who has it worst")
	return func(ctx context.Context, words []string) int {
		var states []logins.Servers
		for _, w := range words {
			if states = append(states, logins.Servers(w)); !slices.Contains(debug.LoginStates, logins.Servers(w)) {
				return a.usage(fmt.Errorf("unexpected argument %q: the servers are one of %v", w, debug.LoginStates), nil)
			}
		}
		return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
			return a.logins(ctx, cfg, asked, states)
		})(ctx, nil)
	}
}

// logins judges what is on the disk also where what a pass would do cannot be
// decided: a lockout is looked into when things are broken.
func (a *app) logins(ctx context.Context, cfg agent.Config, asked debug.LoginAsked, states []logins.Servers) int {
	w, err := cfg.Decide(ctx)
	if errors.Is(err, agent.ErrInput) {
		return a.unreadable(err)
	}
	l := a.readLogin(ctx, cfg, w)
	if l == nil {
		a.fail(fmt.Errorf("%s: %w", a.factsFile, debug.ErrNoLogin))
		return exitUsage
	}
	r := debug.Logins(*l, w, err, asked)
	if a.json {
		a.printJSON(r)
	} else {
		debug.WriteLogins(a.out, r, states)
	}
	var bad roles.Errors
	switch {
	case errors.As(err, &bad):
		return exitUsage
	case r.TooLong():
		return exitFail
	}
	return exitOK
}

// readLogin is the machine's, or of the facts that are replayed; nil where
// those have none.
func (a *app) readLogin(ctx context.Context, cfg agent.Config, w agent.Wanted) *facts.Login {
	if a.elsewhere() {
		return w.Facts.Login
	}
	l := facts.ReadLogin(ctx, cfg.Host)
	return &l
}
