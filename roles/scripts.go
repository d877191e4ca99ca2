package roles

import (
	"path"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// planScripts asks for the startup scripts, one after another. Each runs once
// and never again, so it begins only when everything that a program may lean
// on is so: names, their look-up, users, disks. One that was run in an earlier boot is
// done, whatever has become of these since: its services start. Shutdown scripts are no step: they are
// the daemon's, when the machine goes down.
func planScripts(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Scripts == nil || len(p.Scripts.Startup) == 0 {
		return nil, nil
	}
	needs := append(prepared(f, p), p.mountIDs()...)
	var out plan.Plan
	for _, program := range p.Scripts.Startup {
		s := resource.Script{Path: program, Within: p.Scripts.StartupTimeout}
		step := plan.Step{
			Concern: "scripts", Required: true, Lasting: true, Needs: needs,
			Within: p.Scripts.StartupTimeout + resource.ScriptGrace, Why: p.Why("scripts.startup"),
		}
		if id := f.InstanceID(); id != "" {
			s.Journal = path.Join(facts.InstancesPath, id, "scripts")
			step.Resource = s
		} else {
			// Without it nobody knows whether the script has been run here.
			step.Resource = await(plan.Resource.Check, s.ID(), "the instance's id")
		}
		out = append(out, step)
		needs = []string{s.ID()}
	}
	return out, nil
}

// prepared are the required steps of the concerns that make a machine one on
// which programs can run.
func prepared(f facts.Facts, p Profile) []string {
	var ids []string
	for _, of := range []func(facts.Facts, Profile) (plan.Plan, error){planNaming, planResolver, planNameservice, planDirectory} {
		steps, err := of(f, p)
		if err != nil {
			return nil // there is no plan at all then
		}
		for _, s := range steps {
			if s.Required {
				ids = append(ids, s.ID())
			}
		}
	}
	return ids
}

// scripts reads the section.
func (b *builder) scripts() *Scripts {
	return &Scripts{
		Startup: b.list("scripts.startup"), StartupTimeout: b.seconds("scripts.startup_timeout"),
		Shutdown: b.list("scripts.shutdown"), ShutdownTimeout: b.seconds("scripts.shutdown_timeout"),
	}
}
