package logins

import "reveille/bootstrap/facts"

// silent is a machine whose servers, by TLS, are soon given up where they are dead,
// and where they take connections and never answer are not.
func silent(sshd string) func(*facts.Account) {
	return func(a *facts.Account) {
		a.Login.Sshd = sshd
		a.Login.Files["/etc/pam.d/sshd"] = "account required pam_unix.so\naccount optional pam_ldap.so\n"
		a.Login.Files[nslcdPath] = "uri ldaps://10.9.9.9\nbind_timelimit 2\ntimelimit 5\nnss_initgroups_ignoreusers ALLLOCAL\n"
	}
}

// stuckSSSD is a machine with sssd, which asks a server by TLS and never for him.
func stuckSSSD(session string) func(*facts.Account) {
	return func(a *facts.Account) {
		a.Login.Running = facts.LoginRunning{SSSD: true}
		a.Login.Files[sssdPath] = "[sssd]\ndomains=d\n[nss]\nfilter_users=root,admin\n[domain/d]\nid_provider=ldap\nldap_uri=ldaps://10.9.9.9\n"
		a.Login.Files["/etc/pam.d/sshd"] += session
	}
}

// access is pam_access in the stack, with its file.
func access(text string) func(*facts.Account) {
	return func(a *facts.Account) {
		a.Login.Files["/etc/pam.d/sshd"] = "account required pam_access.so\n"
		a.Login.Files["/etc/security/access.conf"] = text
	}
}

// fstab is mounts that a boot has yet to make.
func fstab(text string) func(*facts.Account) {
	return func(a *facts.Account) { a.Fstab = text }
}
