package daemon

import (
	"context"
	"log/slog"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
)

// Watcher is told how a pass goes; every field may be nil.
type Watcher struct {
	Waiting func(what string)              // for somebody else's work, before anything is changed
	Planned func(plan.Plan)                // before the first step
	Step    func(i int, r converge.Result) // each result, from one goroutine
}

// Pass makes one pass from facts to report. The report is whole whatever
// happened and has been kept on disk; the error says that it could not be
// kept, or that another pass would not end.
type Pass struct {
	agent.Config
	Kind  Kind
	Watch Watcher
	Tell  bool // send the report to the coordinators

	AllowCreate []string // volumes on which a person lets this pass create, this once

	teller  *teller       // the daemon's own, which keeps trying; nil: one attempt
	Writers *host.Writers // who writes files, for naming who rewrites ours; nil: the files' own comments tell
}

// Outcome is a pass's report and what it was made from.
type Outcome struct {
	Report  api.Report
	Wanted  agent.Wanted
	Decided bool     // a profile and a plan were had, and no brake held them
	Done    bool     // … and every step had its turn
	Held    string   // the brake that held them, in words
	Whom    []string // URLs of the coordinators that should be told
}

// Run makes the pass.
func (p Pass) Run(ctx context.Context) (Outcome, error) {
	release, err := lockWithin(ctx, p.Config, patience(p.Host))
	if err != nil {
		return Outcome{}, err
	}
	out, err := p.patient().locked(ctx)
	release()
	if err == nil && p.Tell {
		p.tell(ctx, out)
	}
	return out, err
}

func (p Pass) locked(ctx context.Context) (Outcome, error) {
	start := time.Now()
	machine := facts.ReadIdentity(p.Host)
	r := report.Begin(string(p.Kind), machine, start)
	if p.Kind == Boot || !reported(p.Host, machine.BootID) {
		// A later look leaves the last outcome to be read while it goes on.
		if err := report.Save(p.Host, r); err != nil {
			return Outcome{Report: r}, err
		}
	}
	if max, _ := Allowed(p.Kind, false, machine.Brake.On(machine.DMI), "", start); max > plan.Nothing {
		p.beforeIMDS(ctx, &r, machine, start)
	}
	out := p.decideAndWalk(ctx, &r, start)
	out.Report.Hostname = hostname(p.Config, out.Report.Hostname)
	out.Report.TookMS = float64(time.Since(start).Microseconds()) / 1000
	report.Bound(&out.Report)
	if p.Tell {
		out.Whom = p.whom(out)
	}
	// One that was cut short, by a signal or its time-out, has left steps undone.
	out.Done = out.Decided && ctx.Err() == nil
	if err := report.Save(p.Host, out.Report); err != nil || p.Kind != Boot || !out.Done {
		return out, err
	}
	return out, noteBooted(p.Host, machine.BootID)
}

func (p Pass) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}
