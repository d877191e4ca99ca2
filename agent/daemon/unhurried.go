package daemon

import (
	"context"
	"slices"
	"time"

	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

// unhurried is the plan with time for what a person has asked for by volume:
// reading every byte of one takes hours, so that the pass alone bounds the steps
// which create on those.
func unhurried(ctx context.Context, steps plan.Plan, grant plan.Grant) plan.Plan {
	end, bounded := ctx.Deadline()
	if !bounded || len(grant.Volumes) == 0 {
		return steps
	}
	out := slices.Clone(steps)
	for i, s := range out {
		if grant.Creates(false, provenFor(s.Resource)) {
			out[i].Within = max(s.Within, time.Until(end))
		}
	}
	return out
}

// provenFor are the volumes that a resource proves blank.
func provenFor(r plan.Resource) []string {
	switch r := r.(type) {
	case storage.MDArray:
		return r.Volumes()
	case storage.VolumeGroup:
		return r.Volumes()
	case storage.FileSystem:
		return r.On.Volumes()
	}
	return nil
}
