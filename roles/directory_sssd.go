package roles

import (
	"strings"

	"reveille/bootstrap/resource"
)

// sssdLimits are sssd's time limits. Each waits for the one before it, so each
// must be the longer: sssd's manual asks for
// answer > resolve > query > server.
type sssdLimits struct {
	server  int // dns_resolver_server_timeout, milliseconds
	query   int // dns_resolver_op_timeout, seconds, as are the rest
	resolve int // dns_resolver_timeout
	answer  int // ldap_opt_timeout
	network int // ldap_network_timeout
	search  int // ldap_search_timeout
}

// sssdHeartbeat is sssd's own default: a shorter one would end a process that is
// only busy with a large group.
const sssdHeartbeat = 10

// newSSSDLimits keeps that order for any limits of a profile. Two seconds is
// the least for a name: a query must outlast one server, and sssd counts in
// whole seconds.
func newSSSDLimits(bind, limit int) sssdLimits {
	resolve := max(2, bind)
	return sssdLimits{
		server:  500,
		query:   resolve - 1,
		resolve: resolve,
		answer:  max(resolve+1, limit),
		network: bind,
		search:  limit,
	}
}

// sssdFiles is /etc/sssd/sssd.conf. sssd does not start on one that others
// than root may read.
func sssdFiles(s ldapSettings) []resource.File {
	l := &lines{sep: " = "}
	l.WriteString(s.header + "\n[sssd]\n")
	l.put("config_file_version", 2)
	l.put("services", "nss, pam")
	l.put("domains", "directory")

	l.WriteString("\n[nss]\n# Never asked of the directory: they must get in with every server dead.\n")
	l.put("filter_users", s.guarded())
	l.put("filter_groups", "root")

	l.WriteString("\n[pam]\n# Days that a kept password stands in for a dead directory; 0 is no limit.\n")
	l.put("offline_credentials_expiration", 0)

	l.WriteString("\n[domain/directory]\n")
	l.put("id_provider", "ldap")
	l.put("auth_provider", "ldap")
	l.put("ldap_uri", strings.Join(s.URIs, ", "))
	l.put("ldap_search_base", s.Base)
	if s.BindDN != "" {
		l.put("ldap_default_bind_dn", s.BindDN)
		if s.bindSecret() != nil {
			l.put("ldap_default_authtok_type", "password")
			l.put("ldap_default_authtok", bindPassword)
		}
	}
	l.put("ldap_tls_reqcert", "demand")
	l.put("ldap_tls_cacert", s.cacert)
	s.sssdTimes(l)
	s.sssdAccess(l)
	return []resource.File{{
		Path: "/etc/sssd/sssd.conf", Mode: 0o600, Concern: "directory",
		Content: []byte(l.String()), Secrets: s.bindSecret(),
	}}
}

func (s ldapSettings) sssdTimes(l *lines) {
	t := newSSSDLimits(s.bind, s.limit)
	l.say("Seconds (the first: milliseconds). Each must be longer than the one above it.")
	l.put("dns_resolver_server_timeout", t.server)
	l.put("dns_resolver_op_timeout", t.query)
	l.put("dns_resolver_timeout", t.resolve)
	l.put("ldap_opt_timeout", t.answer)
	l.WriteString("\n")
	l.put("ldap_network_timeout", t.network)
	l.put("ldap_search_timeout", t.search)

	l.say("Seconds between heartbeats. A process that misses three is ended and started anew,\n# as when a server takes its connection and is silent in TLS, which nothing else ends.")
	l.put("timeout", sssdHeartbeat)

	l.say("Answers are kept; a dead directory is tried again soon, not after an hour.")
	l.put("cache_credentials", "true")
	l.put("entry_cache_timeout", 600)
	l.put("offline_timeout", 30)
	l.put("offline_timeout_max", 120)
	l.put("enumerate", "false")
}

func (s ldapSettings) sssdAccess(l *lines) {
	if s.rule == nil {
		l.say("Everybody in the directory may enter: directory.access is not set.")
		l.put("access_provider", "permit")
		return
	}
	l.say("Who may enter: host holds the name, its family, zone or region, or a star.")
	l.put("access_provider", "ldap")
	l.put("ldap_access_order", "filter")
	l.put("ldap_access_filter", s.rule.accessFilter())
}
