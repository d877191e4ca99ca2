package roles

import (
	"slices"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// serviceWithin is how long a service may take to become active: longer than
// systemd's own default bound, which makes a failure of it first; or as long as
// the slowest ready check, since a server that tells systemd when it is ready
// is not active before.
func serviceWithin(p Profile) time.Duration {
	within := 2 * time.Minute
	for _, r := range p.Ready {
		within = max(within, r.Timeout)
	}
	return within
}

// planServices asks for the role's own units. They need the host's name, which
// many a server reads once, every mount of the role's, and a file that keeps
// them off the root disk where one is missing; and the startup scripts that
// prepare the machine for them; no file of the resolver's or the directory's that could not be
// written keeps a database down.
func planServices(f facts.Facts, p Profile) (plan.Plan, error) {
	needs := append([]string{resource.Hostname{}.ID()}, p.mountIDs()...)
	guarded := len(p.mountPaths()) > 0 || p.missesDisks()
	if p.Scripts != nil {
		for _, s := range p.Scripts.Startup {
			needs = append(needs, resource.Script{Path: s}.ID())
		}
	}
	var out plan.Plan
	for _, name := range p.Services {
		needs := needs
		if guarded {
			guard := guardOf(p, name)
			out = append(out, plan.Step{Resource: guard, Concern: "storage", Required: true, Why: p.Why("storage.mounts") + "; " + p.Why("services")})
			needs = append(slices.Clone(needs), guard.ID())
		}
		out = append(out, plan.Step{
			Resource: resource.Service{Name: name, Reload: guarded}, Concern: "services", Needs: needs,
			Within: serviceWithin(p), Required: true, Lasting: true, Why: p.Why("services"),
		})
	}
	return out, nil
}
