package roles

import (
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// undo asks for the image's own content of every file that the agent has
// changed and that no step of this plan names.
//
// The name service goes back first: nsswitch.conf must not name a source whose
// client has already lost its file.
func undo(f facts.Facts, wanted plan.Plan) plan.Plan {
	if undecided(f) {
		return nil
	}
	named := map[string]bool{}
	for _, id := range wanted.IDs() {
		named[id] = true
	}
	var out plan.Plan
	var first []string
	for _, o := range f.Machine.Owned {
		if named["file:"+o.Path] {
			continue
		}
		s := plan.Step{
			Resource: resource.Original{Path: o.Path}, Concern: o.Concern,
			Why: "no layer asks for it any more: the image's own goes back",
		}
		if o.Concern == "nameservice" {
			first = append(first, s.ID())
		}
		out = append(out, s)
	}
	for i := range out {
		if out[i].Concern == "directory" {
			out[i].Needs = first
		}
	}
	return out
}

// undecided says that something which decides what is asked for could not be
// read: what no step names may then still be wanted, and stays.
func undecided(f facts.Facts) bool {
	unknown := func(r facts.Reason, _ string) bool { return r != "" }
	i := f.Instance
	return f.UserData.Broken != "" ||
		unknown(f.UserData.State.Why()) ||
		unknown(i.Tags.Why()) ||
		unknown(i.SecurityGroups.Why()) ||
		unknown(i.Hostname.Why()) ||
		unknown(i.Region.Why()) ||
		unknown(i.Zone.Why()) ||
		unknown(i.PrivateIP.Why())
}
