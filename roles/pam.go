package roles

import (
	"slices"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// planPAM keeps the directory out of local users' way where PAM's pam_ldap is
// nslcd's. Without it a local user's key is good, and the login waits for a dead
// directory all the same: in the account phase ten seconds by nslcd's defaults,
// and two minutes for a server that takes connections and says nothing of TLS;
// in the session's until nslcd has a thread to spare, which others who hang
// keep from it. sssd's package has local users left out of the account phase by
// itself; their sessions ask sssd, which is not mended here yet.
//
// It is not required: a login that takes long is what the login-time budget
// judges, whoever made it so, and what doctor finds.
func planPAM(f facts.Facts, p Profile) (plan.Plan, error) {
	os := platformOf(f.Machine.OS)
	if p.Directory == nil || !os.PAMProfiles || !f.Machine.Has.PAMLDAP {
		return nil, nil
	}
	clients := chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os))
	if !slices.ContainsFunc(clients, func(c ldapClient) bool { return c.name == "nslcd" }) {
		return nil, nil
	}
	profile := resource.File{
		Path: resource.PAMProfiles + "reveille-ldap", Mode: 0o644, Content: []byte(pamProfile), Concern: "pam",
	}
	return plan.Plan{{
		Resource: profile, Concern: "pam",
		Why: "pam_ldap is installed, and its package has it ask for local users as well; " + p.Why("directory"),
	}, {
		Resource: resource.PAMProfile{Profile: profile, Instead: "ldap"}, Concern: "pam", Needs: []string{profile.ID()},
		Within: pamWithin,
		Why:    "a local user must get in with every directory server dead; " + p.Why("directory.break_glass"),
	}}, nil
}

// pamWithin bounds the waiting for the package manager's lock: the files of the
// name service may wait for this step, and have 30 s themselves.
const pamWithin = 15 * time.Second

// pamProfile is the package's profile with one line more before pam_ldap, where
// it is decided who may enter, and in sessions. Where passwords are asked for it
// is the package's: a local user's own is looked at first there, and one whose
// password is the directory's, as sudo may ask for it, must not lose it. It is
// one profile and not two, as no other may come between that line and the one
// that it jumps over. The options are the package's own: what an administrator
// has changed of them in the common files, pam-auth-update takes over, as it
// tells lines by their module.
const pamProfile = `Name: LDAP Authentication for all but local users (written by Reveille)
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
