package roles

import (
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/roles/cite"
	"reveille/roles/logins"
)

const sshdStack = "/etc/pam.d/sshd"

// ValidateLogins finds, in documents that Validate has nothing against, the
// limits that would hold up logins. It is apart, since no pass is refused for
// them: only a machine's own files tell how long its logins take.
func ValidateLogins(sources []Source) []*Error {
	var d documents
	d.readSources(sources)
	var errs Errors
	for _, r := range d.roles {
		m := mergeLayers(r.leaves, d.local)
		if p, wrong, _ := buildProfile(m, sampleFacts(), true); len(wrong) == 0 && !brokenFile(d.errs, r.file) {
			errs = append(errs, loginErrors(m, p)...)
		}
	}
	return errs.sorted()
}

// loginErrors says where a profile's own limits would hold up logins, on a
// Debian with its packages as installed and nothing else to wait for: sshd's
// LoginGraceTime of 120 s, UseDNS no, and the files that we would write. It
// blames the key that, at its default, betters it most; where none does, the
// list of servers.
func loginErrors(m *layered, p Profile) Errors {
	if p.Directory == nil || len(p.Directory.URIs) == 0 {
		return nil
	}
	over, ok := samplesOver(p)
	if !ok || len(over) == 0 {
		return nil
	}
	worst := over[0]
	for _, e := range over[1:] {
		if worst.Takes.Less(e.Takes) {
			worst = e
		}
	}
	key, at := blamed(m, p)
	mend := "set it lower"
	switch {
	case key == "login_budget":
		return Errors{errorAt(at, "%s is too short: on a Debian with this role's files, %s; set it higher", key, worst)}
	case under(key, "directory.uris") || key == "directory.uris":
		key, mend = "directory.uris", "name fewer servers"
	}
	return Errors{errorAt(at, "%s would hold up logins: on a Debian with this role's files, %s; %s", key, worst, mend)}
}

// blamed is the key to lower, and where it stands.
func blamed(m *layered, p Profile) (string, cite.Place) {
	least, key := excessOf(p), ""
	for _, l := range p.Lowered() {
		if now := excessOf(l.Profile); now.Less(least) {
			least, key = now, l.Key
		}
	}
	if key != "" {
		return key, m.live[key].at
	}
	for _, path := range m.below("directory.uris") {
		return path, m.live[path].at
	}
	return "directory", m.open["directory"] // of which a list of servers is a part, so that this is not reached
}

// excessOf is all that is over the limits.
func excessOf(p Profile) logins.Bound {
	var sum logins.Bound
	over, _ := samplesOver(p)
	for _, e := range over {
		sum = sum.Plus(e.Takes)
	}
	return sum
}

// samplesOver is what of a sample machine's logins is over its limit by the
// profile's fault. Not ok where its files cannot be made, which is somebody
// else's to tell.
func samplesOver(p Profile) ([]logins.Excess, bool) {
	l, ok := sampleLogin(p)
	if !ok {
		return nil, false
	}
	least, ok := sampleLogin(p.Least())
	return logins.Mendable(logins.BudgetOf(l).Over(p.LoginBudget, 0), logins.BudgetOf(least)), ok
}

// sampleLogin is a Debian as its packages leave it, with our files, PAM as
// planPAM has it, and the client running.
func sampleLogin(p Profile) (logins.Login, bool) {
	os := platformOf(facts.OS{ID: "debian"})
	clients := chooseClients(p.Directory.Client, ldapClients(facts.Has{}, os))
	if len(clients) == 0 {
		return logins.Login{}, false
	}
	client := clients[0]
	edit := nssEdit(client.name)
	nss, err := edit.Apply([]byte("passwd: files systemd\ngroup: files systemd\nshadow: files systemd\nhosts: files dns\n"))
	if err != nil {
		return logins.Login{}, false
	}
	user := p.Directory.BreakGlass
	l := logins.Login{BreakGlass: user, Files: map[string]string{
		nsswitchPath: string(nss), "/etc/hostname": "sample\n",
		"/etc/passwd":               user + ":x:1000:1000::/home/" + user + ":/bin/bash\nlocal:x:1001:1001::/home/local:/bin/bash\n",
		"/etc/group":                "sudo:x:27:" + user + "\n",
		sshdStack:                   "@include common-account\n@include common-session\n",
		"/etc/pam.d/common-account": samplePAM[client.name].account, "/etc/pam.d/common-session": samplePAM[client.name].session,
	}}
	for _, pkg := range pamPackages(facts.Has{}) {
		if pkg.client == client.name {
			resource.PAMProfile{Instead: pkg.instead}.AfterPAM(l.Files)
		}
	}
	l.Running = logins.Running{Nslcd: client.name == "nslcd", SSSD: client.name == "sssd", PADL: client.name == "nss_ldap"}
	for _, f := range client.files(newLDAPSettings(os, p)) {
		l.Files[f.Path] = string(f.Content)
	}
	if p.Resolver == nil { // somebody else's, which this profile is not to blame for: taken to be as short as ours
		p.Resolver = &Resolver{Nameservers: []string{"192.0.2.1"}, Timeout: time.Second, Attempts: 1}
	}
	resolv, err := renderResolv(p)
	l.Files[resolvPath] = string(resolv)
	return l, err == nil
}

// samplePAM is what asks the directory in the stack of a Debian's sshd, as
// pam-auth-update writes it when the client's package is installed.
var samplePAM = map[string]struct{ account, session string }{
	"nslcd": {sampleUnix + "account [success=ok new_authtok_reqd=done ignore=ignore user_unknown=ignore authinfo_unavail=ignore default=bad] pam_ldap.so minimum_uid=1000\n",
		"session required pam_unix.so\nsession optional pam_ldap.so minimum_uid=1000\n"},
	"sssd": {sampleUnix + "account sufficient pam_localuser.so\naccount [default=bad success=ok user_unknown=ignore] pam_sss.so\n",
		"session required pam_unix.so\nsession optional pam_sss.so\n"},
	"nss_ldap": {"account [success=2 new_authtok_reqd=done default=ignore] pam_unix.so\naccount [success=1 default=ignore] pam_ldap.so\n" +
		"account requisite pam_deny.so\naccount required pam_permit.so\n",
		"session required pam_unix.so\nsession optional pam_ldap.so\n"},
}

const sampleUnix = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n"
