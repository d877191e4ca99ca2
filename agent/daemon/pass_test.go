package daemon

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
)

func TestASecondPassChangesAndWritesNothing(t *testing.T) {
	m := machine(t, thisID)
	if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Ready {
		t.Fatalf("first pass:\n%s", text(out.Report))
	}
	m.Forget()
	out := boot(t, m.Host(), crawl(thisID))
	for _, s := range out.Report.Steps {
		if s.State != "ok" {
			t.Errorf("%s is %s in a second pass: %v", s.ID, s.State, s.Changes)
		}
	}
	for _, e := range m.Effects() {
		if !strings.Contains(e, "/run/reveille/") {
			t.Errorf("a second pass did %s", e)
		}
	}
}

// At a pass's end all that should outlast the power is on the disk.
func TestWhatAPassWroteIsOnTheDisk(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	points := m.Points()
	written := 0
	for i, p := range points {
		file, ok := strings.CutSuffix(strings.TrimPrefix(p, "write:"), " renamed")
		if !ok || !strings.HasPrefix(file, "/etc/") && !strings.HasSuffix(file, "facts.json") {
			continue
		}
		written++
		if synced := "sync:" + path.Dir(file) + " done"; !slices.Contains(points[i:], synced) {
			t.Errorf("%s may be lost with the power", file)
		}
	}
	if written < 7 {
		t.Errorf("only %d files were written", written)
	}
}

func TestAnUnknownFactLeavesEveryFile(t *testing.T) {
	for name, spoil := range map[string]func(*facts.Facts){
		"user-data": func(f *facts.Facts) {
			f.UserData = facts.UserData{State: facts.Unknown[facts.Digest](facts.TimedOut, "")}
		},
		"tags":            func(f *facts.Facts) { f.Instance.Tags = facts.Unknown[map[string]string](facts.Forbidden, "") },
		"security groups": func(f *facts.Facts) { f.Instance.SecurityGroups = facts.Unknown[[]string](facts.Throttled, "") },
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, thisID)
			before := m.Tree("/run")
			f := crawl(thisID)
			spoil(&f)
			out := boot(t, m.Host(), f)
			if out.Report.State != api.Failed || out.Report.Misconfigured || len(out.Report.Errors) == 0 {
				t.Errorf("report:\n%s", text(out.Report))
			}
			if diff := cmp.Diff(before, m.Tree("/run")); diff != "" {
				t.Errorf("files changed (-before +after)\n%s", diff)
			}
		})
	}
}

func TestAnotherInstancesFilesGoBackFirst(t *testing.T) {
	m := machine(t, thisID)
	image := m.Tree("/run", "/var", "/sys")
	boot(t, m.Host(), crawl(thisID))
	m.Put("/sys/class/dmi/id/board_asset_tag", otherID+"\n", 0o444)

	f := crawl(otherID) // IMDS says nothing that a plan could be made of
	f.Instance.ID = facts.Unknown[string](facts.TimedOut, "")
	f.UserData = facts.UserData{State: facts.Unknown[facts.Digest](facts.TimedOut, "")}
	boot(t, m.Host(), f)
	if diff := cmp.Diff(image, m.Tree("/run", "/var", "/sys")); diff != "" {
		t.Errorf("the image's files are not back (-want +got)\n%s", diff)
	}
}

func TestTheReportOnDiskIsTheOneReturned(t *testing.T) {
	m := machine(t, thisID)
	h := m.Host()
	out := boot(t, h, crawl(thisID))
	kept, err := report.Load(h)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.Report, kept); diff != "" {
		t.Error(diff)
	}
	if kept.Hostname != "dev-mysql01" || kept.Role != "mysql" || *kept.Facts.PublicIP != "" || *kept.Facts.Zone != "us-east-1a" {
		t.Errorf("report:\n%s", text(kept))
	}
}

func TestAllowed(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name  string
		kind  Kind
		fresh bool
		brake facts.Brake
		tag   string
		want  plan.Risk
		why   string
	}{
		{"boot", Boot, false, facts.Brake{}, "", plan.Disrupts, ""},
		{"boot before the storage was complete", Boot, true, facts.Brake{}, "", plan.Destroys, ""},
		{"a disk came before the storage was complete", Device, true, facts.Brake{}, "", plan.Destroys, ""},
		{"a disk came", Device, false, facts.Brake{}, "", plan.Disrupts, ""},
		{"SIGHUP before the storage was complete", Hup, true, facts.Brake{}, "", plan.Disrupts, ""},
		{"an address before the storage was complete", Address, true, facts.Brake{}, "", plan.Disrupts, ""},
		{"timer", Timer, false, facts.Brake{}, "", plan.Safe, ""},
		{"timer before the storage was complete", Timer, true, facts.Brake{}, "", plan.Safe, ""},
		{"no such pass", "nap", true, facts.Brake{}, "", plan.Nothing, ""},
		{"disabled", Boot, true, facts.Brake{Disabled: true}, "", plan.Nothing, "/etc/reveille/disabled"},
		{"kernel", Boot, false, facts.Brake{Kernel: true}, "", plan.Nothing, "reveille=off"},
		{"paused", Hup, false, facts.Brake{Paused: "mail queue"}, "", plan.Nothing, "mail queue"},
		{"paused until later", Boot, true, facts.Brake{Paused: "x", Until: now.Add(time.Minute)}, "", plan.Nothing, "until 2026-01-02T03:05:05Z"},
		{"paused until before", Boot, false, facts.Brake{Paused: "x", Until: now.Add(-time.Minute)}, "", plan.Disrupts, ""},
		{"tag", Boot, false, facts.Brake{}, "migration", plan.Nothing, "migration"},
	} {
		got, why := Allowed(c.kind, c.fresh, c.brake, c.tag, now)
		if got != c.want || !strings.Contains(why, c.why) || (c.why == "") != (why == "") {
			t.Errorf("%s: %s %q", c.name, got, why)
		}
	}
}

func TestWaitTakesThisBootsReportAlone(t *testing.T) {
	m := machine(t, thisID)
	h := m.Host()
	old := report.Begin("boot", facts.Machine{BootID: "an earlier boot"}, time.Now())
	old.State = api.Ready
	if err := report.Save(h, old); err != nil {
		t.Fatal(err)
	}
	got := make(chan api.Report, 1)
	go func() {
		r, err := Wait(t.Context(), h)
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	out := boot(t, m.Host(), crawl(thisID))
	if r := <-got; r.BootID != out.Report.BootID || r.State != api.Ready {
		t.Errorf("waited for\n%s", text(r))
	}
}
