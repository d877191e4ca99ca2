package roles

import (
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/cite"
)

// planReady asks for the checks, once all services run: how long a check may
// take is counted from then on.
func planReady(_ facts.Facts, p Profile) (plan.Plan, error) {
	var needs []string
	for _, name := range p.Services {
		needs = append(needs, resource.Service{Name: name}.ID())
	}
	if len(needs) == 0 {
		needs = p.mountIDs()
	}
	if p.Scripts != nil && len(p.Services) == 0 {
		for _, s := range p.Scripts.Startup {
			needs = append(needs, resource.Script{Path: s}.ID())
		}
	}
	var out plan.Plan
	for _, r := range p.Ready {
		out = append(out, plan.Step{
			Resource: r.resource(), Concern: "ready", Needs: needs,
			Within: r.Timeout, Required: true, Why: p.Why("ready"),
		})
	}
	return out, nil
}

func (r Ready) resource() resource.Ready {
	return resource.Ready{TCP: r.TCP, HTTP: r.HTTP, Unit: r.Unit, File: r.File, Command: r.Command}
}

// ready reads the list, and refuses the same check twice: two bounds on one
// thing would be a guess.
func (b *builder) ready() []Ready {
	l := b.m.live["ready"]
	var out []Ready
	first := map[string]cite.Place{}
	for _, it := range l.value.items {
		text := func(name string) string { return it.field(l.key, name).text }
		r := Ready{
			TCP: text("tcp"), HTTP: text("http"), Unit: text("unit"), File: text("file"),
			Command: it.field(l.key, "command").texts(), Timeout: duration(text("timeout")),
		}
		id := r.resource().ID()
		if at, twice := first[id]; twice {
			b.errs = append(b.errs, errorAt(it.at, "ready asks %s twice, first at line %d: take one out", id[len("ready:"):], at.Line))
		}
		first[id] = it.at
		out = append(out, r)
	}
	return out
}
