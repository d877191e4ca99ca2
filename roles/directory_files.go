package roles

import (
	"fmt"
	"strings"

	"reveille/bootstrap/resource"
)

// The place in a file where the bind password goes. The password itself never
// passes through a plan.
const bindPassword = "@reveille:bind-password@"

func (s ldapSettings) bindSecret() map[string]string {
	if s.BindDN == "" || s.PasswordFile == "" {
		return nil
	}
	return map[string]string{bindPassword: s.PasswordFile}
}

// guarded is the users whom no client may look up in the directory.
func (s ldapSettings) guarded() string {
	if s.BreakGlass == "" || s.BreakGlass == "root" {
		return "root"
	}
	return "root," + s.BreakGlass
}

// lines writes "key value" lines; an empty key is a blank line, an empty
// value leaves the line out.
type lines struct {
	strings.Builder
	sep string // between key and value
}

func (l *lines) put(key string, value any) {
	if v := fmt.Sprint(value); v != "" {
		l.WriteString(key + l.sep + v + "\n")
	}
}

func (l *lines) say(comment string) { l.WriteString("\n# " + comment + "\n") }

// nslcdFiles is /etc/nslcd.conf. nslcd leaves off at the first keyword that it
// does not know, so only what its oldest release in use knows is written.
func nslcdFiles(s ldapSettings) []resource.File {
	l := &lines{sep: " "}
	l.WriteString(s.header + "\n")
	l.put("uid", "nslcd")
	l.put("gid", s.os.NslcdGroup)
	l.say("In this order. With the base written here, nslcd starts with every server dead.")
	for _, u := range s.URIs {
		l.put("uri", u)
	}
	l.put("base", s.Base)
	if s.BindDN != "" {
		l.put("binddn", s.BindDN)
		if s.bindSecret() != nil {
			l.put("bindpw", bindPassword)
		}
	}
	l.say("Seconds. By default searches wait for ever, and a dead server for ten.")
	l.put("bind_timelimit", s.bind)
	l.put("timelimit", s.limit)
	l.put("reconnect_sleeptime", 1)
	l.put("reconnect_retrytime", 1)
	if s.tls {
		l.WriteString("\n")
		l.put("tls_reqcert", "demand")
		l.put("tls_cacertfile", s.cacert)
	}
	l.say("No local user waits for the directory. ALLLOCAL is who is local when nslcd starts;")
	l.WriteString("# the names also hold for one that is made later.\n")
	l.put("nss_initgroups_ignoreusers", "ALLLOCAL")
	l.put("nss_initgroups_ignoreusers", s.guarded())
	if s.rule != nil {
		l.say("Who may enter: host holds the name, its family, zone or region, or a star.")
		l.put("pam_authz_search", s.rule.authzSearch())
	}
	group := s.os.NslcdGroup
	if !s.here {
		group = "" // the package brings the group
	}
	return []resource.File{{
		Path: "/etc/nslcd.conf", Mode: 0o640, Group: group, Concern: "directory",
		Content: []byte(l.String()), Secrets: s.bindSecret(),
	}}
}

// padlFiles is the file of PADL's nss_ldap and pam_ldap, once for each of its
// names on this system. Every program reads it as whoever runs it, so it is
// open to all and the password stands beside it, for root alone, where both
// modules look for it.
func padlFiles(s ldapSettings) []resource.File {
	l := &lines{sep: " "}
	l.WriteString(s.header + "\n")
	l.put("uri", strings.Join(s.URIs, " "))
	l.put("base", s.Base)
	l.put("ldap_version", 3)
	if s.bindSecret() != nil {
		l.put("rootbinddn", s.BindDN)
	} else {
		l.put("binddn", s.BindDN)
	}
	l.say("One round over the servers and no sleep: the default sleeps for two minutes.")
	l.put("bind_policy", "soft")
	l.put("nss_reconnect_tries", 1)
	l.put("nss_reconnect_sleeptime", 1)
	l.put("nss_reconnect_maxsleeptime", 1)
	l.put("nss_reconnect_maxconntries", 1)
	l.put("bind_timelimit", s.bind)
	l.put("timelimit", s.limit)
	// pam_ldap looks at no certificate unless ssl is on; where it is on, neither
	// module speaks to a server without TLS.
	l.put("ssl", map[bool]string{true: "on", false: "off"}[s.allTLS])
	if s.tls {
		l.put("tls_checkpeer", "yes")
		l.put("tls_cacertfile", s.cacert)
	}
	l.say("No lookup of these users' groups: they must get in with every server dead.")
	l.put("nss_initgroups_ignoreusers", s.guarded())
	l.WriteString("\n")
	l.put("pam_password", "exop")
	if s.rule != nil {
		l.say("Who may enter: host holds the name, its family, zone or region, or a star.")
		l.put("pam_filter", s.rule.pamFilter())
	}
	var files []resource.File
	for _, path := range s.os.NSSLDAPConf {
		files = append(files, resource.File{
			Path: path, Mode: 0o644, Concern: "directory", Content: []byte(l.String()),
		})
		if s.bindSecret() != nil {
			files = append(files, resource.File{
				Path: strings.TrimSuffix(path, ".conf") + ".secret", Mode: 0o600, Concern: "directory",
				Content: []byte(bindPassword + "\n"), Secrets: s.bindSecret(),
			})
		}
	}
	return files
}

// openldapFile is what OpenLDAP's library and tools read. nslcd passes it
// over, sssd and ldapsearch do not.
func openldapFile(s ldapSettings) resource.File {
	l := &lines{sep: " "}
	l.WriteString(s.header + "\n")
	l.put("URI", strings.Join(s.URIs, " "))
	l.put("BASE", s.Base)
	l.put("NETWORK_TIMEOUT", s.bind)
	l.put("TIMEOUT", s.limit)
	l.put("TLS_CACERT", s.cacert)
	l.put("TLS_REQCERT", "demand")
	return resource.File{
		Path: s.os.OpenLDAPConf, Mode: 0o644, Concern: "directory", Content: []byte(l.String()),
	}
}
