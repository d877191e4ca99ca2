package roles

import (
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

// growths ask that each layer follows the one below it, from the arrays up.
// Nothing needs them, and none is required: a role whose volume cannot grow
// serves as it did. They are no part of what is there or not ("storage"), which
// decides whether anything may still be created.
func (s *storagePlan) growths() plan.Plan {
	if !s.p.Storage.Grow {
		return nil
	}
	var out plan.Plan
	after := map[string]string{} // a layer's ID -> of its growth's
	for _, step := range append(append(plan.Plan{}, s.layers...), s.mounts...) {
		l, ok := step.Resource.(storage.Layer)
		if !ok {
			continue // volumes, swap, and what is withheld
		}
		g := storage.Growth{Of: l}
		grow := plan.Step{Resource: g, Concern: "growth", Within: filesystemWithin, Needs: []string{l.ID()}, Why: s.p.Why("storage.grow")}
		for _, below := range s.below(l) {
			if id, grows := after[below]; grows {
				grow.After = append(grow.After, id)
			}
		}
		after[l.ID()] = g.ID()
		out = append(out, grow)
	}
	return out
}

// below are the IDs of what a layer lies upon.
func (s *storagePlan) below(l storage.Layer) []string {
	var ids []string
	switch l := l.(type) {
	case storage.VolumeGroup:
		for _, d := range l.Over {
			ids = append(ids, d.ID())
		}
	case storage.LogicalVolume:
		ids = append(ids, l.Group.ID())
	case storage.Mount:
		ids = append(ids, l.From.On.ID())
	}
	return ids
}
