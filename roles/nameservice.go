package roles

import (
	"errors"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

const nsswitchPath = "/etc/nsswitch.conf"

// planNameservice asks for the directory behind the local files in
// nsswitch.conf, once the client that answers for it has its own file: a
// source whose client runs with other limits would hold up every login.
//
// The initgroups line is what keeps the directory out of a local user's login;
// without it glibc walks every source of the group line.
func planNameservice(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Directory == nil {
		return nil, nil
	}
	os := platformOf(f.Machine.OS)
	clients := chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os))
	if len(clients) == 0 {
		return nil, errors.New(p.Why("directory.client") + ": no such directory client")
	}
	client := clients[0]
	var needs []string
	for _, file := range client.files(newLDAPSettings(os, p)) {
		needs = append(needs, file.ID())
	}
	nsswitch, _ := nsswitchFile(f, p, os)
	out := plan.Plan{{
		Resource: nsswitch, Concern: "nameservice", Required: true, Needs: needs,
		Why: nsswitchWhy(f, client, p),
	}}
	out = append(out, groupLine(f, p)...)
	if f.Machine.Has.Nscd && p.Nscd == nil {
		// It keeps answers, also that a user does not exist, for minutes.
		out = append(out, plan.Step{
			Resource: resource.Unit{Name: os.NscdUnit, Reads: []resource.File{nsswitch}},
			Concern:  "nameservice", Needs: []string{nsswitch.ID()},
			Why: "nscd is installed and keeps answers of the sources before",
		})
	}
	return out, nil
}

// nsswitchFile is the edit, for all that read the file; not ok where none is
// asked for.
func nsswitchFile(f facts.Facts, p Profile, os platform) (resource.File, bool) {
	if p.Directory == nil {
		return resource.File{}, false
	}
	clients := chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os))
	if len(clients) == 0 {
		return resource.File{}, false
	}
	return resource.File{Path: nsswitchPath, Edit: nssEdit(clients[0].name), Concern: "nameservice"}, true
}

// nssEdit names the client's own module. sssd's knows no shadow entries, so
// that line is none of ours.
func nssEdit(client string) resource.NSSwitch {
	if client == "sssd" {
		return resource.NSSwitch{Source: "sss", Databases: []string{"passwd", "group"}, Initgroups: true}
	}
	return resource.NSSwitch{Source: "ldap", Databases: []string{"passwd", "shadow", "group"}, Initgroups: true}
}

func nsswitchWhy(f facts.Facts, c ldapClient, p Profile) string {
	why := p.Why("directory") + "; local files answer first, then " + c.name
	if !c.here {
		why += ", which is not installed: glibc passes over a source that it cannot load"
	}
	// There is no way by files alone to make authselect want this: its own
	// remedies are commands that also rewrite PAM.
	if f.Machine.Authselect {
		why += "; authselect made this file: `authselect check` will call it changed and `authselect apply-changes` " +
			"will refuse until `authselect select PROFILE --force`, which the next pass edits again, or `authselect opt-out`"
	}
	return why
}
