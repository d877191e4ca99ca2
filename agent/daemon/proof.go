package daemon

import (
	"fmt"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
	"reveille/roles"
)

// proofWithin is how long a pass waits for the proof. It takes a millisecond; a
// disk that hangs under the account's home must not keep the pass open.
const proofWithin = time.Second

// prove looks whether the break-glass account gets in on the files as this pass
// leaves them. It runs no program and asks nobody, and neither fails a pass nor
// changes its state.
func (p Pass) prove(r *api.Report, w agent.Wanted) {
	d := w.Profile.Directory
	if d == nil || d.BreakGlass == "" {
		return
	}
	found := make(chan []facts.Finding, 1)
	go func() { found <- proof(p, w.Profile, w.Facts.Machine.Has) }()
	late := time.NewTimer(proofWithin)
	defer late.Stop()
	select {
	case all := <-found:
		report.AddBreakGlass(r, d.BreakGlass, all)
	case <-late.C:
		report.AddBreakGlass(r, d.BreakGlass, []facts.Finding{{
			Code: "break-glass-late", Severity: facts.Warning,
			Title:  fmt.Sprintf("The break-glass account %s could not be looked at within %s: a disk under its files may hang.", d.BreakGlass, proofWithin),
			Remedy: "`reveille debug doctor` looks again, for as long as it takes.",
		}})
	}
}

func proof(p Pass, profile roles.Profile, has facts.Has) []facts.Finding {
	l := facts.ReadLoginNames(p.Host, has)
	return agent.BreakGlass(profile, facts.ReadAccount(p.Host, l, profile.Directory.BreakGlass, time.Now()))
}
