package daemon

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
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

// The mark comes with the result that leaves all of the storage there, and with
// no other.
func TestStorageIsNotedComplete(t *testing.T) {
	step := plan.Step{Resource: resource.Hostname{}, Concern: storageConcern}
	other := plan.Step{Resource: resource.Hostname{}, Concern: "services"}
	for name, c := range map[string]struct {
		plan    plan.Plan
		results []converge.Result
		want    int // the result at which it is complete; -1 never
	}{
		"all is there":        {plan.Plan{step, step, other}, []converge.Result{{Step: step, State: converge.OK}, {Step: step, State: converge.Changed}, {Step: other, State: converge.Failed}}, 1},
		"one is missing":      {plan.Plan{step, step}, []converge.Result{{Step: step, State: converge.OK}, {Step: step, State: converge.Failed}}, -1},
		"one was held back":   {plan.Plan{step, step}, []converge.Result{{Step: step, State: converge.Drifted}, {Step: step, State: converge.OK}}, -1},
		"no storage at all":   {plan.Plan{other}, []converge.Result{{Step: other, State: converge.OK}}, -1},
		"only looked at":      {plan.Plan{step}, []converge.Result{{Step: step, State: converge.Unknown}}, -1},
		"not all had a turn":  {plan.Plan{step, step}, []converge.Result{{Step: step, State: converge.OK}}, -1},
		"services are behind": {plan.Plan{step, other}, []converge.Result{{Step: step, State: converge.OK}, {Step: other, State: converge.Failed}}, 0},
	} {
		tally, at := tallyOf(c.plan), -1
		for i, r := range c.results {
			if tally.saw(r) {
				at = i
			}
		}
		if at != c.want {
			t.Errorf("%s: complete at %d, not at %d", name, at, c.want)
		}
	}
	m := machine(t, thisID)
	p := Pass{Config: agent.Config{Host: m.Host()}}
	for max, want := range map[plan.Risk]bool{plan.Nothing: true, plan.Safe: true} {
		if err := p.noteComplete(crawl(thisID), max); err != nil {
			t.Error(err)
		}
		if fresh, err := neverComplete(m.Host(), crawl(thisID)); err != nil || fresh != want {
			t.Errorf("a pass that may do no more than %s: %v, %v", max, fresh, err)
		}
	}
	for range 2 {
		m.Forget()
		if err := p.noteComplete(crawl(thisID), plan.Disrupts); err != nil {
			t.Error(err)
		}
		if fresh, err := neverComplete(m.Host(), crawl(thisID)); err != nil || fresh {
			t.Errorf("not noted: %v", err)
		}
	}
	if m.Writes() > 0 {
		t.Errorf("noted again: %q", m.Effects())
	}
}

// A person's word counts on a machine that says who it is, for volumes on which
// something of the role lies.
func TestWhomAGrantIsFor(t *testing.T) {
	steps := plan.Plan{{Resource: storage.MDArray{Name: "data", Over: []string{"vol-1", "vol-2"}}},
		{Resource: storage.FileSystem{On: storage.Volume{VolumeID: "vol-4"}, Type: "xfs"}}}
	for name, c := range map[string]struct {
		allow  []string
		max    plan.Risk
		change func(*facts.Facts)
		want   plan.Risk
		words  string
	}{
		"nobody's word":           {nil, plan.Disrupts, func(*facts.Facts) {}, plan.Disrupts, ""},
		"for two of the role's":   {[]string{"vol-2", "vol-1"}, plan.Disrupts, func(*facts.Facts) {}, plan.Destroys, ""},
		"for a volume of its own": {[]string{"vol-4"}, plan.Disrupts, func(*facts.Facts) {}, plan.Destroys, ""},
		"for another":             {[]string{"vol-1", "vol-3"}, plan.Disrupts, func(*facts.Facts) {}, plan.Destroys, "nothing of this role lies on vol-3"},
		"a brake":                 {[]string{"vol-1"}, plan.Nothing, func(*facts.Facts) {}, plan.Nothing, ""},
		"a dead IMDS":             {[]string{"vol-1"}, plan.Disrupts, func(f *facts.Facts) { f.Source = facts.FromCache }, plan.Disrupts, "has not just said who it is"},
		"another firmware":        {[]string{"vol-1"}, plan.Disrupts, func(f *facts.Facts) { f.Machine.DMI = "i-0fffffffffffffff" }, plan.Disrupts, "has not just said who it is"},
	} {
		f := crawl(thisID)
		c.change(&f)
		g, max, err := Pass{AllowCreate: c.allow}.grant(f, steps, c.max)
		if max != c.want || (len(g.Volumes) > 0) != (c.want == plan.Destroys) || (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %+v, %s, %v", name, g, max, err)
		}
	}
}

// On instance store the profile's consent counts in every boot pass, and after a
// disk came; on nothing else, and not where nobody says who this is.
func TestScratchIsGranted(t *testing.T) {
	steps := plan.Plan{{Resource: storage.Volumes{Name: "data", IDs: []string{"vol-1"}}}, {Resource: storage.Volumes{Name: "tmp", IDs: []string{"AWS0000A"}, Scratch: true}}}
	for name, c := range map[string]struct {
		kind   Kind
		max    plan.Risk
		steps  plan.Plan
		change func(*facts.Facts)
		want   plan.Risk
	}{
		"at a later boot":          {Boot, plan.Disrupts, steps, func(*facts.Facts) {}, plan.Destroys},
		"a disk came":              {Device, plan.Disrupts, steps, func(*facts.Facts) {}, plan.Destroys},
		"the first boot":           {Boot, plan.Destroys, steps, func(*facts.Facts) {}, plan.Destroys},
		"without scratch":          {Boot, plan.Disrupts, steps[:1], func(*facts.Facts) {}, plan.Disrupts},
		"a timer":                  {Timer, plan.Safe, steps, func(*facts.Facts) {}, plan.Safe},
		"SIGHUP":                   {Hup, plan.Disrupts, steps, func(*facts.Facts) {}, plan.Disrupts},
		"an address":               {Address, plan.Disrupts, steps, func(*facts.Facts) {}, plan.Disrupts},
		"a brake":                  {Boot, plan.Nothing, steps, func(*facts.Facts) {}, plan.Nothing},
		"a dead metadata service":  {Boot, plan.Disrupts, steps, func(f *facts.Facts) { f.Source = facts.FromCache }, plan.Disrupts},
		"a firmware of another id": {Boot, plan.Disrupts, steps, func(f *facts.Facts) { f.Machine.DMI = "i-0fffffffffffffff" }, plan.Disrupts},
	} {
		f := crawl(thisID)
		c.change(&f)
		g, max, err := Pass{Kind: c.kind}.grant(f, c.steps, c.max)
		scratch := c.want == plan.Destroys
		if err != nil || max != c.want || g.Creates(true, []string{"AWS0000A"}) != scratch || g.Creates(true, []string{"vol-1"}) != (c.max == plan.Destroys) || g.Creates(false, []string{"AWS0000A"}) {
			t.Errorf("%s: %+v, %s, %v", name, g, max, err)
		}
	}
}

// What came before the facts were read is part of them.
func TestADiskThatCameBefore(t *testing.T) {
	var d disks
	if d.changed() {
		t.Error("it asks before anybody knows of a role")
	}
	d.reading()
	if d.planned(true) {
		t.Error("what came before the facts were read asks for a pass after")
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
			t.Errorf("a %s pass was asked for before anybody knew of a role", k)
		}
		if !l.disks.planned(true) {
			t.Error("what came while the first pass decided is forgotten")
		}
		l.disks.planned(false)
		r.m.ChangeDisk("nvme1n1")
		if k := l.asks.take(); k != "" || l.disks.planned(true) {
			t.Errorf("a %s pass was asked for without a role's disks", k)
		}
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
