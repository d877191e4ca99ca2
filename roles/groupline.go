package roles

import (
	"slices"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// groupLine asks for the break-glass account to be a member in a line of
// /etc/group, where it is in none: files alone do not end the search for the
// groups of others. It joins the group that everybody may be in, and only where
// no rule names that; the proof tells what is left to a person.
func groupLine(f facts.Facts, p Profile) plan.Plan {
	who := p.Directory.BreakGlass
	at := slices.IndexFunc(f.Machine.Accounts.Users, func(u facts.LocalUser) bool { return u.Name == who })
	if at < 0 || f.Machine.Accounts.UsersRule != "" {
		return nil
	}
	return plan.Plan{{
		Resource: resource.File{
			Path: "/etc/group", Concern: "nameservice",
			Edit: resource.GroupMember{User: who, Group: facts.UsersGroup, GID: facts.UsersGroupID, Own: f.Machine.Accounts.Users[at].GID},
		},
		Concern: "nameservice",
		Why:     p.Why("directory.break_glass") + "; a search for groups ends at the local files for those alone who are a member in one of their lines",
	}}
}
