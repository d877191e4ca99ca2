package daemon

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"reveille/agent"
	"reveille/bootstrap/facts"
)

// A pass may take minutes, and the brake is wanted most where one does what it
// should not: it holds from then on, and who pulled it hears of that pass.
func TestAPauseIsPulledThoughAPassIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := machine(t, thisID)
		release, err := m.Host().Lock(t.Context(), LockPath)
		if err != nil {
			t.Fatal(err)
		}
		err = Hold(t.Context(), agent.Config{Host: m.Host()}, "stop it", 0)
		if err == nil || !strings.Contains(err.Error(), "paused") || !strings.Contains(err.Error(), "under way") {
			t.Errorf("whoever paused was told: %v", err)
		}
		release()
		m.Put("/etc/hostname", "somebody else's\n", 0o644)
		if out := boot(t, m.Host(), crawl(thisID)); out.Held == "" || m.Read("/etc/hostname") != "somebody else's\n" {
			t.Errorf("the next pass is not held:\n%s", text(out.Report))
		}
	})
}

// A brake that is pulled while the pass still reads the metadata service, which
// may take half a minute, holds that pass. One that is let go meanwhile does as
// well: such a pass has not waited for cloud-init, and must not write now.
func TestAPauseHoldsAPassThatHasNotDecided(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"pulled": {"", `{"reason": "just now", "until": ""}`}, "let go": {`{"reason": "until now", "until": ""}`, ""},
	} {
		t.Run(name, func(t *testing.T) { heldInTheCrawl(t, c.before, c.after) })
	}
}

func heldInTheCrawl(t *testing.T, before, after string) {
	m := machine(t, thisID)
	f := crawl(thisID)
	f.Instance.PublicHostname = facts.Absent[string]() // all of it was answered, so that it is kept
	boot(t, m.Host(), f)
	m.Put("/etc/hostname", "somebody else's\n", 0o644)
	if before != "" {
		m.Put(facts.PausePath, before, 0o644)
	}
	c := agent.Config{Host: m.Host(), RoleDirs: []string{"testdata/roles"}}
	c.Facts.Endpoint = facts.IPv4Endpoint // not asked: there is no way to it
	c.Facts.Ready = func(context.Context, []netip.Addr) error {
		if after != "" {
			m.Put(facts.PausePath, after, 0o644)
		} else if err := m.Host().Remove(facts.PausePath); err != nil {
			t.Error(err)
		}
		return errors.New("no way")
	}
	out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out.Report.Facts.Source != "cache" {
		t.Fatalf("the kept crawl did not stand in:\n%s", text(out.Report))
	}
	if out.Held == "" || m.Read("/etc/hostname") != "somebody else's\n" {
		t.Errorf("the pass is not held:\n%s", text(out.Report))
	}
}
