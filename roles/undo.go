package roles

import (
	"slices"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// undo asks for the image's own content of every file that the agent has
// changed and that no step of this plan names.
//
// The name service goes back first, or takes its new form where the client
// only changed: nsswitch.conf must not name a source whose client has already
// lost its file.
func undo(f facts.Facts, wanted plan.Plan) plan.Plan {
	if undecided(f) {
		return nil
	}
	named := map[string]bool{}
	for _, id := range wanted.IDs() {
		named[id] = true
	}
	var out plan.Plan
	var after [][]string
	for _, o := range f.Machine.Owned {
		if named["file:"+o.Path] {
			continue
		}
		s := plan.Step{
			Resource: resource.Original{Path: o.Path}, Concern: o.Concern,
			Why: "no layer asks for it any more: the image's own goes back",
		}
		if nss := "file:" + nsswitchPath; (o.Concern == "directory" || o.Concern == "pam") && named[nss] {
			s.Needs = []string{nss}
		}
		out, after = append(out, s), append(after, GoesBackAfter(o.Path, o.Concern))
	}
	ids := out.IDs()
	for i := range out {
		for _, id := range after[i] {
			if slices.Contains(ids, id) {
				out[i].Needs = append(out[i].Needs, id)
			}
		}
	}
	return out
}

// GoesBackAfter is the originals, by ID, that must be back before that of a
// path, where they are kept: whatever rests on a file of ours goes before it.
func GoesBackAfter(path, concern string) []string {
	original := func(p string) string { return resource.Original{Path: p}.ID() }
	switch {
	case concern == "directory", concern == "pam":
		return []string{original(nsswitchPath)}
	case path == autofsMapPath, path == autofsPath: // no mount point without its map, or its limit
		return []string{original(autofsMasterPath)}
	case path == hostsPath: // sudo looks the host's own name up
		return []string{original(hostnamePath), original(resource.LiveHostname)}
	}
	return nil
}

// undecided says that something which decides what is asked for could not be
// read: what no step names may then still be wanted, and stays.
func undecided(f facts.Facts) bool {
	unknown := func(r facts.Reason, _ string) bool { return r != "" }
	i := f.Instance
	return f.UserData.Broken != "" ||
		f.Machine.Accounts.Unread != "" || // who is local
		unknown(f.UserData.State.Why()) ||
		unknown(i.Tags.Why()) ||
		unknown(i.SecurityGroups.Why()) ||
		unknown(i.Hostname.Why()) ||
		unknown(i.Region.Why()) ||
		unknown(i.Zone.Why()) ||
		unknown(i.PrivateIP.Why())
}
