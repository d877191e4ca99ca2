package report

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// wanted is what was read: one fact of each kind.
func wanted(source facts.Source, age time.Duration) agent.Wanted {
	var w agent.Wanted
	w.Facts = facts.Facts{Source: source, Read: noon.Add(-age), Now: noon, Instance: facts.Instance{
		ID:        facts.Known("i-0123456789abcdef0"),
		Region:    facts.Known("us-east-1"),
		PublicIP:  facts.Absent[string](),
		PrivateIP: facts.Unknown[string](facts.TimedOut, "no answer"),
	}}
	return w
}

// thing is a step's resource that only has a name.
type thing string

func (t thing) ID() string { return string(t) }

func (t thing) Check(context.Context, *host.Host) ([]plan.Change, error) { return nil, nil }

func begun() api.Report {
	return Begin("boot", facts.Machine{BootID: "b", Hostname: "dev-mysql01"}, noon)
}

func results(all ...converge.Result) converge.Report { return converge.Report{Results: all} }

func result(required bool, s converge.State, err error) converge.Result {
	return converge.Result{Step: plan.Step{Resource: thing("file:/etc/x"), Concern: "naming", Why: "asked for", Required: required},
		State: s, Err: err, Attempts: 1}
}

// Whoever reads reports counts on these names: fields are added, never renamed.
func TestNamesOfTheDocument(t *testing.T) {
	r := begun()
	AddWanted(&r, wanted(facts.FromIMDS, 0))
	AddSteps(&r, results(result(true, converge.OK, nil)), 0)
	b, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		All   map[string]json.RawMessage
		Facts map[string]json.RawMessage   `json:"facts"`
		Steps []map[string]json.RawMessage `json:"steps"`
	}
	if err := errors.Join(json.Unmarshal(b, &doc), json.Unmarshal(b, &doc.All)); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		got  map[string]json.RawMessage
		want string
	}{
		"report": {doc.All, "boot_id break_glass errors facts hostname instance_id misconfigured notes pass phases role started state steps took_ms version"},
		"facts":  {doc.Facts, "age_s private_ip public_ip region source zone"},
		"step":   {doc.Steps[0], "attempts changes concern error id required start_ms state took_ms why"},
	} {
		var names []string
		for name := range c.got {
			names = append(names, name)
		}
		slices.Sort(names)
		if diff := cmp.Diff(strings.Fields(c.want), names); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	for name, want := range map[string]string{"region": `"us-east-1"`, "public_ip": `""`, "private_ip": "null", "zone": "null", "source": `"imds"`} {
		if got := string(doc.Facts[name]); got != want {
			t.Errorf("facts.%s is %s, want %s: absent is empty, unknown is null", name, got, want)
		}
	}
}

// A list is a list also where nothing is in it, from the first moment.
func TestAReportThatHasOnlyBegun(t *testing.T) {
	b, err := Encode(begun())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"state": "booting"`, `"pass": "boot"`, `"started": "2026-01-02T12:00:00Z"`, `"version": 1`,
		`"source": "none"`, `"errors": []`, `"notes": []`, `"steps": []`, `"phases": []`, `"region": null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
}

func TestAgeIsTheKeptCrawls(t *testing.T) {
	for _, c := range []struct {
		source facts.Source
		age    time.Duration
		want   float64
	}{
		{facts.FromIMDS, time.Second, 0}, // now is now, however long the crawl took
		{facts.FromCache, 90 * time.Minute, 5400},
		{facts.FromCache, -time.Minute, 0}, // a clock that went back
		{facts.FromNone, time.Hour, 0},
	} {
		r := begun()
		AddWanted(&r, wanted(c.source, c.age))
		if r.Facts.AgeS != c.want || r.Facts.Source != string(c.source) {
			t.Errorf("%s read %s ago: source %s, age %v s, want %v", c.source, c.age, r.Facts.Source, r.Facts.AgeS, c.want)
		}
	}
}

// The state is that of the worst step: failed for a required one, degraded for
// another, whichever comes first.
func TestStateOfAWalk(t *testing.T) {
	bad := errors.New("disk full")
	for name, c := range map[string]struct {
		walked converge.Report
		want   api.State
	}{
		"nothing asked for":        {results(), api.Ready},
		"was so, and made so":      {results(result(true, converge.OK, nil), result(true, converge.Changed, nil)), api.Ready},
		"optional failed":          {results(result(false, converge.Failed, bad), result(true, converge.OK, nil)), api.Degraded},
		"optional, then required":  {results(result(false, converge.Failed, bad), result(true, converge.Unknown, bad)), api.Failed},
		"required, then optional":  {results(result(true, converge.Blocked, nil), result(false, converge.Failed, bad)), api.Failed},
		"required and not allowed": {results(result(true, converge.Drifted, nil)), api.Failed},
	} {
		r := begun()
		AddSteps(&r, c.walked, 0)
		if r.State != c.want {
			t.Errorf("%s: %s, want %s", name, r.State, c.want)
		}
		for i, s := range r.Steps {
			if (c.walked.Results[i].Err != nil) != (s.Error == "disk full") {
				t.Errorf("%s: step %d has the error %q", name, i, s.Error)
			}
		}
	}
}
