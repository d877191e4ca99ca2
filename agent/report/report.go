// Package report is the outcome of a pass: as a document, on disk, on a
// terminal, and on its way to the coordinators. It must not know how a pass
// is made, and no report is ever waited for.
package report

import (
	"encoding/json"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
)

// Path of the newest report, below the root.
const Path = "/run/reveille/report.json"

// Begin is the report of a pass that has only begun: state booting.
func Begin(kind string, m facts.Machine, started time.Time) api.Report {
	return api.Report{
		Version:  api.Version,
		BootID:   m.BootID,
		Hostname: m.Hostname,
		State:    api.Booting,
		Pass:     kind,
		Started:  started.UTC().Format(time.RFC3339Nano),
		Facts:    api.Facts{Source: string(facts.FromNone)},
		Errors:   []string{},
		Notes:    []string{},
		Steps:    []api.Step{},
		Phases:   []api.Phase{},
	}
}

// AddWanted enters what was read and decided.
func AddWanted(r *api.Report, w agent.Wanted) {
	i := w.Facts.Instance
	r.InstanceID = w.Facts.InstanceID()
	r.Role = w.Profile.Role
	r.Facts = api.Facts{
		Region:    told(i.Region),
		Zone:      told(i.Zone),
		PrivateIP: told(i.PrivateIP),
		PublicIP:  told(i.PublicIP),
		Source:    string(w.Facts.Source),
	}
	if w.Facts.Source == facts.FromCache {
		r.Facts.AgeS = max(0, w.Facts.Now.Sub(w.Facts.Read).Seconds())
	}
	for _, p := range w.Facts.Problems {
		r.Notes = append(r.Notes, p.String())
	}
	r.Notes = append(r.Notes, w.Profile.Notes...)
	for _, s := range w.Spans {
		r.Phases = append(r.Phases, Phase(s.Name, s.Start, s.Took))
	}
}

// AddSteps enters the results of a walk that began at start, and decides the
// state: failed where something required is not so, degraded where something
// else is not.
func AddSteps(r *api.Report, c converge.Report, start time.Duration) {
	r.State = api.Ready
	for _, got := range c.Results {
		switch {
		case got.State.So():
		case got.Step.Required:
			r.State = api.Failed
		case r.State == api.Ready:
			r.State = api.Degraded
		}
		r.Steps = append(r.Steps, step(got, start))
	}
	r.Phases = append(r.Phases, Phase("steps", start, c.Took))
}

// Phase is a part of a pass, from the pass's start.
func Phase(name string, start, took time.Duration) api.Phase {
	return api.Phase{Name: name, StartMS: ms(start), TookMS: ms(took)}
}

func step(got converge.Result, start time.Duration) api.Step {
	s := api.Step{
		ID:       got.Step.ID(),
		Concern:  got.Step.Concern,
		State:    string(got.State),
		Required: got.Step.Required,
		Why:      got.Step.Why,
		Changes:  []string{},
		StartMS:  ms(start + got.Start),
		TookMS:   ms(got.Took),
		Attempts: got.Attempts,
	}
	for _, c := range got.Changes {
		s.Changes = append(s.Changes, c.Say)
	}
	if got.Err != nil {
		s.Error = got.Err.Error()
	}
	return s
}

// Steps is the outcome of a walk that is not a pass: restore, clean.
func Steps(c converge.Report) []api.Step {
	all := []api.Step{}
	for _, got := range c.Results {
		all = append(all, step(got, 0))
	}
	return all
}

// Encode is the document's bytes, as on disk and on standard output.
func Encode(r api.Report) ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

func told(f facts.Fact[string]) *string {
	if v, ok := f.Get(); ok {
		return &v
	}
	if f.IsAbsent() {
		return new(string)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
