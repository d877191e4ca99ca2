package daemon

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// Who does not say himself who he is creates nothing, and neither does who has
// had all of his disks once.
func TestStorageThatWasNeverComplete(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*facts.Facts)
		marked bool
		want   bool
	}{
		"a new instance":                {func(*facts.Facts) {}, false, true},
		"its firmware says so too":      {func(f *facts.Facts) { f.Machine.DMI = thisID }, false, true},
		"its storage was complete":      {func(*facts.Facts) {}, true, false},
		"its firmware names another":    {func(f *facts.Facts) { f.Machine.DMI = "i-0ffffffffffffffff" }, false, false},
		"the metadata service was dead": {func(f *facts.Facts) { f.Source = facts.FromCache }, false, false},
		"nobody says who it is":         {func(f *facts.Facts) { f.Instance.ID = facts.Unknown[string](facts.TimedOut, "") }, false, false},
	} {
		m := machine(t, thisID)
		f := crawl(thisID)
		c.change(&f)
		if c.marked {
			m.Put(completePath(thisID), "2026-01-02T03:04:05Z\n", 0o600)
		}
		if got, err := neverComplete(m.Host(), f); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func walked(states ...converge.State) (out converge.Report) {
	for _, s := range states {
		out.Results = append(out.Results, converge.Result{Step: plan.Step{Resource: resource.Hostname{}, Concern: storageConcern}, State: s})
	}
	return out
}

// The mark comes with the first pass that leaves all of the storage there, and
// with no other.
func TestStorageIsNotedComplete(t *testing.T) {
	for name, c := range map[string]struct {
		walked converge.Report
		max    plan.Risk
		want   bool
	}{
		"all is there":       {walked(converge.OK, converge.Changed), plan.Destroys, true},
		"one is missing":     {walked(converge.OK, converge.Failed), plan.Destroys, false},
		"one was held back":  {walked(converge.OK, converge.Drifted), plan.Disrupts, false},
		"no storage at all":  {walked(), plan.Destroys, false},
		"nothing but a look": {walked(converge.OK), plan.Nothing, false},
	} {
		m := machine(t, thisID)
		p := Pass{Config: agent.Config{Host: m.Host()}}
		if err := p.noteComplete(crawl(thisID), c.walked, c.max); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		fresh, err := neverComplete(m.Host(), crawl(thisID))
		if err != nil || fresh == c.want {
			t.Errorf("%s: never complete: %v, %v", name, fresh, err)
		}
		m.Forget()
		if err := p.noteComplete(crawl(thisID), c.walked, c.max); err != nil || m.Writes() > 0 {
			t.Errorf("%s: again: %v, %q", name, err, m.Effects())
		}
	}
}

// A disk that comes asks for a pass where the role has to do with disks, and
// wakes the steps that wait for it.
func TestADiskThatComes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := r.d.newLoop()
		ctx, cancel := context.WithCancel(t.Context())
		l.work.Go(func() { l.listenDisks(ctx) })
		defer l.work.Wait()
		defer cancel()
		synctest.Wait()
		r.m.ChangeDisk("nvme1n1")
		if k := l.asks.take(); k != "" {
			t.Errorf("a %s pass was asked for without a role's disks", k)
		}
		l.disks.Store(true)
		r.m.ChangeDisk("nvme1n1")
		if k := l.asks.take(); k != Device {
			t.Errorf("a pass of kind %q was asked for", k)
		}

		p := Pass{Config: r.d.Config}
		disks := plan.Plan{{Resource: resource.Hostname{}, Concern: storageConcern}}
		wake, unwatch := p.wake(t.Context(), disks, plan.Disrupts)
		defer unwatch()
		synctest.Wait()
		woken := wake()
		select {
		case <-woken:
			t.Error("woken by nothing")
		default:
		}
		r.m.ChangeDisk("nvme2n1")
		select {
		case <-woken:
		case <-time.After(time.Minute):
			t.Error("a disk came, and no step was woken")
		}
		if wake, _ := p.wake(t.Context(), nil, plan.Disrupts); wake != nil {
			t.Error("a plan without disks listens for them")
		}
	})
}
