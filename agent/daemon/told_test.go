package daemon

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent/report"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/coordinator/api"
)

// Errors that were joined stand alone; one that wraps two stays whole, with
// the words between them.
func TestLines(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	both := fmt.Errorf("%w: facts in x.json: %w", a, b)
	got := lines(errors.Join(a, errors.Join(both, b)))
	if diff := cmp.Diff([]string{"a", "a: facts in x.json: b", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

// A document with thousands of mistakes must still be told of: a coordinator
// takes 256 KiB.
func TestAReportIsNeverTooLargeToBeTold(t *testing.T) {
	m := machine(t, thisID)
	f := crawl(thisID)
	f.UserData.Parts[0].Text = "hostname=a\n"
	for n := range 4000 {
		f.UserData.Parts[0].Text += fmt.Sprintf("resolve%d=1\n", n)
	}
	out := boot(t, m.Host(), f)
	b, err := report.Encode(out.Report)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 200<<10 {
		t.Errorf("the report has %d bytes, %d errors", len(b), len(out.Report.Errors))
	}
	last := out.Report.Errors[len(out.Report.Errors)-1]
	if !strings.Contains(last, "more") {
		t.Errorf("it does not say that there are more: %s", last)
	}
}

// Who had not got an earlier report is not said of one that is for nobody.
func TestWhoWasNotToldIsForgottenWithTheReport(t *testing.T) {
	m := machine(t, thisID)
	h := m.Host()
	if err := report.SaveUntold(h, []string{"https://10.0.0.4:8650: no route"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (Pass{Config: config(t, h, crawl(thisID)), Kind: Boot, Tell: true}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := report.LoadUntold(h); len(left) > 0 {
		t.Errorf("still said: %v", left)
	}
}

// What a pass brought that failed is not put back later with nobody watching.
func TestAFailedPassConfirmsNothing(t *testing.T) {
	m := machine(t, thisID)
	if err := m.Host().Remove("/etc/nsswitch.conf"); err != nil {
		t.Fatal(err)
	}
	m.Put("/etc/nsswitch.conf/", "", 0) // a folder: this step cannot be
	if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Failed {
		t.Fatalf("the pass:\n%s", text(out.Report))
	}
	m.Put("/etc/hostname", "another\n", 0o644)
	c, err := resource.File{Path: "/etc/hostname", Mode: 0o644, Content: []byte("dev-mysql01\n"), Concern: "naming"}.Check(t.Context(), m.Host())
	if err != nil || len(c) != 1 || c[0].Risk != plan.Disrupts {
		t.Errorf("%v %v", c, err)
	}
}

// A report that cannot be read is about to be replaced, so it is waited past.
func TestWaitPassesOverATornReport(t *testing.T) {
	m := machine(t, thisID)
	m.Put(report.Path, `{"version": 1, "sta`, 0o644)
	got := make(chan api.State, 1)
	go func() {
		r, err := Wait(t.Context(), m.Host())
		if err != nil {
			t.Error(err)
		}
		got <- r.State
	}()
	select {
	case s := <-got:
		t.Fatalf("it did not wait: %s", s)
	case <-time.After(2 * lookBlind):
	}
	boot(t, m.Host(), crawl(thisID))
	if s := <-got; s != api.Ready {
		t.Error(s)
	}
}
