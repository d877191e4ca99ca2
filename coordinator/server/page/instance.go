package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

// Bounds of one instance's page.
const (
	maxSteps = 500
	maxLines = 100 // errors, notes; changes of one step
	maxText  = 2000
)

// Instance is the page of one machine's last pass, its steps as a waterfall.
type Instance struct {
	ID, Name      string
	Role          string
	RoleLink      template.URL
	State         api.State
	Received      instant
	Facts         []field
	Errors, Notes []string
	Steps         []Step
	MoreSteps     int
	Marks         []string // of the time scale, each a quarter of it further
	Took          string
}

// Step is one line of the waterfall. X and Width are of a bar 1000 wide.
type Step struct {
	ID, Concern, State, Why, Error string
	Class                          string // of the state, if it is a known one
	Required, Open                 bool   // Open: to be read, not only to be seen
	Changes                        []string
	Start, Took                    string
	Attempts                       int
	X, Width                       float64
}

// NewInstance reads a record.
func NewInstance(rec store.Record, now time.Time) (*Instance, error) {
	var r api.Report
	if err := json.Unmarshal(rec.Report, &r); err != nil {
		return nil, fmt.Errorf("report of %s: %w", rec.ID, err)
	}
	p := &Instance{
		ID: rec.ID, Name: show(r.Hostname, 80), Role: roleName(r.Role), RoleLink: Filter{}.role(r.Role).link(),
		State: r.State, Received: at(rec.Received, now), Took: millis(r.TookMS),
		Errors: lines(r.Errors), Notes: lines(r.Notes), Facts: factList(r),
	}
	p.waterfall(r)
	return p, nil
}

// Render writes the page.
func (p *Instance) Render(w io.Writer) error { return execute(w, "instance.html", p) }

func factList(r api.Report) []field {
	source := show(r.Facts.Source, 20)
	if r.Facts.Source == "cache" {
		source += ", read " + ago(time.Duration(min(max(r.Facts.AgeS, 0), 1e9)*float64(time.Second)))
	}
	started := show(r.Started, 60)
	if t, err := time.Parse(time.RFC3339, r.Started); err == nil {
		started = t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	all := []field{
		{"Zone", fact(r.Facts.Zone)}, {"Region", fact(r.Facts.Region)},
		{"Private address", fact(r.Facts.PrivateIP)}, {"Public address", fact(r.Facts.PublicIP)},
		{"Pass", show(r.Pass, 20)}, {"Started", started}, {"Took", millis(r.TookMS)},
		{"Facts from", source}, {"Boot id", show(r.BootID, 60)},
	}
	for i := range all {
		if all[i].Value == "" {
			all[i].Value = "none"
		}
	}
	return all
}

func (p *Instance) waterfall(r api.Report) {
	total := span(r)
	for i, s := range r.Steps {
		if i == maxSteps {
			p.MoreSteps = len(r.Steps) - maxSteps
			break
		}
		start := min(max(s.StartMS, 0), total)
		took := min(max(s.TookMS, 0), total-start)
		// A step of no time at all is still to be seen.
		width := max(1000*took/total, 4)
		x := min(1000*start/total, 1000-width)
		p.Steps = append(p.Steps, Step{
			ID: show(s.ID, 200), Concern: show(s.Concern, 40), State: show(s.State, 20), Class: stepClass(s.State),
			Open: s.Error != "" || s.State == "drifted",
			Why:  show(s.Why, maxText), Error: show(s.Error, maxText), Required: s.Required, Changes: lines(s.Changes),
			Start: millis(s.StartMS), Took: millis(s.TookMS), Attempts: s.Attempts, X: round(x), Width: round(width),
		})
	}
	p.Marks = []string{"0"}
	for _, quarter := range []float64{1, 2, 3} {
		p.Marks = append(p.Marks, millis(total*quarter/4))
	}
}

// span is how many milliseconds the waterfall shows: up to the last end of a
// step. Never zero, and never what no boot can take.
func span(r api.Report) float64 {
	total := 0.0
	for _, s := range r.Steps {
		total = max(total, s.StartMS+s.TookMS)
	}
	if total <= 0 {
		total = max(r.TookMS, 1)
	}
	return math.Min(total, 1e12)
}

func stepClass(state string) string {
	switch state {
	case "ok", "changed", "drifted", "failed", "blocked":
		return state
	}
	return "unknown"
}

func lines(all []string) []string {
	var out []string
	for i, s := range all {
		if i == maxLines {
			return append(out, fmt.Sprintf("… and %d more", len(all)-maxLines))
		}
		out = append(out, show(s, maxText))
	}
	return out
}
