package roles

import (
	"slices"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// pamPackage is a package that has PAM ask a client of the directory.
type pamPackage struct {
	client  string // as directory.client knows it
	instead string // the package's profile, and its module without pam_
	here    bool   // the module is installed
	profile string // ours in its place
	asks    string // what the package's has PAM do
}

// pamPackages is the visible list.
func pamPackages(has facts.Has) []pamPackage {
	return []pamPackage{
		{"nslcd", "ldap", has.PAMLDAP, pamLDAPProfile, "has it ask for local users as well"},
		{"sssd", "sss", has.PAMSSS, pamSSSProfile, "has it ask in the sessions of local users as well"},
	}
}

// planPAM keeps the directory out of local users' way where PAM's modules are
// nslcd's or sssd's. Without it a local user's key is good, and the login waits
// for a dead directory all the same. With nslcd: in the account phase ten seconds
// by its defaults, and two minutes for a server that takes connections and says
// nothing of TLS; in the session's until nslcd has a thread to spare, which
// others who hang keep from it. With sssd, whose package has local users left
// out of the account phase by itself: in the session's for as long as sssd is
// stuck, half a minute at a time beside such a server.
//
// It is not required: a login that takes long is what the login-time budget
// judges, whoever made it so, and what doctor finds.
func planPAM(f facts.Facts, p Profile) (plan.Plan, error) {
	os := platformOf(f.Machine.OS)
	if p.Directory == nil || !os.PAMProfiles {
		return nil, nil
	}
	var steps plan.Plan
	clients := chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os))
	for _, pkg := range pamPackages(f.Machine.Has) {
		if pkg.here && slices.ContainsFunc(clients, func(c ldapClient) bool { return c.name == pkg.client }) {
			steps = append(steps, pkg.steps(p)...)
		}
	}
	return steps, nil
}

func (pkg pamPackage) steps(p Profile) plan.Plan {
	profile := resource.File{
		Path: resource.OurPAMProfile(pkg.instead), Mode: 0o644, Content: []byte(pkg.profile), Concern: "pam",
	}
	return plan.Plan{{
		Resource: profile, Concern: "pam",
		Why: "pam_" + pkg.instead + " is installed, and its package " + pkg.asks + "; " + p.Why("directory"),
	}, {
		Resource: resource.PAMProfile{Profile: profile, Instead: pkg.instead}, Concern: "pam", Needs: []string{profile.ID()},
		Within: pamWithin,
		Why:    "a local user must get in with every directory server dead; " + p.Why("directory.break_glass"),
	}}
}

// pamWithin bounds the waiting for the package manager's lock: the files of the
// name service may wait for this step, and have 30 s themselves.
const pamWithin = 15 * time.Second

// The profiles are the packages' with one line more before the module, where
// it is decided who may enter, and in sessions. Where passwords are asked for
// they are the packages': a local user's own is looked at first there, and one
// whose password is the directory's, as sudo may ask for it, must not lose it.
// Each is one profile and not two, as no other may come between that line and
// the one that it jumps over. The options are the packages' own: what an
// administrator has changed of them in the common files, pam-auth-update takes
// over, as it tells lines by their control and module, and by the blanks between:
// these are the packages' as well.
const pamLDAPProfile = `Name: LDAP Authentication for all but local users (written by Reveille)
Default: no
Priority: 129
Conflicts: ldap
Auth-Type: Primary
Auth-Initial:
	[success=end default=ignore]	pam_ldap.so minimum_uid=1000
Auth:
	[success=end default=ignore]	pam_ldap.so minimum_uid=1000 use_first_pass
Account-Type: Additional
Account:
	[success=1 default=ignore]	pam_localuser.so
	[success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad]	pam_ldap.so minimum_uid=1000
Password-Type: Primary
Password-Initial:
	[success=end default=ignore]	pam_ldap.so minimum_uid=1000
Password:
	[success=end default=ignore]	pam_ldap.so minimum_uid=1000 try_first_pass
Session-Type: Additional
Session:
	[success=1 default=ignore]	pam_localuser.so
	[success=ok default=ignore]	pam_ldap.so minimum_uid=1000
`

// In the account phase the package's own line ends the phase for local users,
// and stays: jumping over pam_sss alone would have them judged by whatever the
// stack has behind it, which they are not today. Sessions that nobody types in,
// cron's and the user's manager, have no pam_sss at all.
const pamSSSProfile = `Name: SSS authentication for all but local users (written by Reveille)
Default: no
Priority: 129
Conflicts: sss
Auth-Type: Primary
Auth-Initial:
	[success=end default=ignore]	pam_sss.so forward_pass
Auth:
	[success=end default=ignore]	pam_sss.so use_first_pass
Account-Type: Additional
Account:
	sufficient			pam_localuser.so
	[default=bad success=ok user_unknown=ignore]	pam_sss.so
Password-Type: Primary
Password-Initial:
	sufficient			pam_sss.so
Password:
	sufficient			pam_sss.so use_authtok
Session-Type: Additional
Session-Interactive-Only: yes
Session:
	[success=1 default=ignore]	pam_localuser.so
	optional			pam_sss.so
`
