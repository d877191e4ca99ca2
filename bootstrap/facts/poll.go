package facts

import (
	"context"
	"maps"
)

// Watched is what may change on a running instance without an event of its
// own, and ask for a look: its tags, what Auto Scaling intends with it, and
// whether the spot market wants it back.
type Watched struct {
	Tags            Fact[map[string]string]
	TargetLifecycle Fact[string]
	SpotAction      Fact[string]
}

// Watched is that part of the instance.
func (i Instance) Watched() Watched { return Watched{i.Tags, i.TargetLifecycle, i.SpotAction} }

// pollAttempts at one question: the next poll is near, and in no hurry.
const pollAttempts = 2

// Poll asks for what is watched alone: a few requests to IMDS. What did not
// answer is unknown, and says nothing.
func Poll(ctx context.Context, o Options) Watched {
	o = o.withDefaults()
	o.tuning.attempts = pollAttempts
	urls, _, err := o.endpoints()
	if err != nil {
		return Watched{}
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	at := reach(ctx, urls, o)
	defer at.client.close()
	c := &crawl{ctx: ctx, cancel: cancel, client: at.client, crew: newCrew()}
	defer c.crew.close()
	if id := use(c, idPath, at.id, instanceID); !id.IsKnown() {
		return Watched{} // whose answers would they be?
	}
	var w Watched
	c.run(
		func() { w.SpotAction = c.spotAction() },
		func() { w.TargetLifecycle = c.targetLifecycle() },
		func() { w.Tags = c.tags() },
	)
	return w
}

func (c *crawl) tags() Fact[map[string]string] {
	return c.folder("meta-data/tags/instance/", tagKey, nil)
}

func (c *crawl) targetLifecycle() Fact[string] {
	return parsed(c, "meta-data/autoscaling/target-lifecycle-state", word)
}

func (c *crawl) spotAction() Fact[string] {
	return parsed(c, "meta-data/spot/instance-action", spotAction)
}

// Since says what has changed, in words ("" where nothing has), and returns
// what is known now: an answer that is missing leaves the one before it.
func (w Watched) Since(before Watched) (now Watched, changed string) {
	now = Watched{newest(w.Tags, before.Tags), newest(w.TargetLifecycle, before.TargetLifecycle), newest(w.SpotAction, before.SpotAction)}
	switch {
	case !maps.Equal(now.Tags.Or(nil), before.Tags.Or(nil)) && answered(before.Tags):
		changed = "the instance's tags changed"
	case now.TargetLifecycle.Or("") != before.TargetLifecycle.Or("") && answered(before.TargetLifecycle):
		changed = "Auto Scaling's target is " + now.TargetLifecycle.String()
	case now.SpotAction.Or("") != before.SpotAction.Or("") && answered(before.SpotAction):
		changed = "the spot action is " + now.SpotAction.String()
	}
	return now, changed
}

func newest[T any](now, before Fact[T]) Fact[T] {
	if answered(now) {
		return now
	}
	return before
}
