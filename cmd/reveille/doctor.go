package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"reveille/agent"
	"reveille/agent/debug"
	"reveille/agent/report"
	"reveille/bootstrap/facts"
)

func bindDebugDoctor(a *app, fs *flag.FlagSet) runner {
	bake := fs.Bool("bake", false, "look at this machine as at what an image is about to be made of")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		p := debug.Patient{Host: cfg.Host, Machine: facts.ReadMachine(cfg.Host)}
		if *bake {
			return a.findings(debug.Doctor(p, true)) // an image is no instance: nobody else is asked
		}
		if p.Wanted, p.Err = cfg.Decide(ctx); errors.Is(p.Err, agent.ErrInput) {
			return a.unreadable(p.Err)
		}
		p.Machine = p.Wanted.Facts.Machine
		p.Untold = report.LoadUntold(cfg.Host)
		if l := a.readLogin(ctx, cfg, p.Wanted); l != nil {
			logins := debug.Logins(*l, p.Wanted, p.Err, debug.LoginAsked{})
			p.Login, p.Logins = l, &logins
			if d := p.Wanted.Profile.Directory; d != nil && !a.elsewhere() {
				account := facts.ReadAccount(cfg.Host, *l, d.BreakGlass, time.Now())
				p.Account = &account
			}
		}
		return a.findings(debug.Doctor(p, false))
	})
}
