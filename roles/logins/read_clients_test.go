package logins

import (
	"strings"
	"testing"

	"reveille/roles/cite"
)

func TestParseNslcd(t *testing.T) {
	c, notes := parseNslcd("# bind_timelimit 99\nURI ldap://a/ ldaps://b/\nuri\tldap://c/\nbind_timelimit 3\nBind_TimeLimit   2\n" +
		"timelimit soon\nreconnect_retrytime -1\nssl start_tls\npam_authz_search (a=b)\npam_authz_search (c=d)\n" +
		"nss_initgroups_ignoreusers root,admin\nnss_initgroups_ignoreusers AllLocal ops\nidle_timelimit\n")
	if len(c.uris) != 3 || c.uris[2].at.Line != 3 || c.bind != (numeric{2, cite.Place{File: nslcdPath, Line: 5}}) {
		t.Errorf("%+v", c)
	}
	if c.limit.n != 0 || c.limit.at.Line != 0 || c.retry.n != 10 || c.sleep.n != 1 || !c.startTLS || c.authz != 2 || !c.allLocal {
		t.Errorf("%+v", c)
	}
	if !c.ignored["admin"] || !c.ignored["ops"] || !c.ignored["root"] || c.ignored["eve"] {
		t.Errorf("%v", c.ignored)
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "/etc/nslcd.conf:6: timelimit") {
		t.Errorf("notes %q", notes)
	}
	if c, notes := parseNslcd(""); c.bind.n != 10 || len(c.uris) != 1 || len(notes) != 0 {
		t.Errorf("%+v, %q", c, notes)
	}
	if _, notes := parseNslcd("uri DNS\n"); len(notes) != 1 {
		t.Errorf("notes %q", notes)
	}
}

func TestParsePADL(t *testing.T) {
	c, notes := parsePADL("/etc/ldap.conf", "host a b\nuri ldap://c/ ldap://d/\nbind_policy soft\nbind_policy hard_open\nbind_timelimit 5\n"+
		"nss_reconnect_tries 1\nnss_reconnect_maxsleeptime 8\nnss_initgroups_ignoreusers root, admin\n")
	if len(c.uris) != 4 || c.uris[0].s != "ldap://a" || c.soft || c.bind.n != 5 || c.tries.n != 1 || c.maxSleep.n != 8 || len(notes) != 0 {
		t.Errorf("%+v, %q", c, notes)
	}
	if !c.ignored["admin"] || c.limit.n != 0 {
		t.Errorf("%+v", c)
	}
	if c, notes := parsePADL("/etc/ldap.conf", ""); c.bind.n != 30 || c.tries.n != 5 || len(c.uris) != 1 || len(notes) != 1 {
		t.Errorf("%+v, %q", c, notes)
	}
}

func TestParseSSSD(t *testing.T) {
	c, notes := parseSSSD(map[string]string{
		sssdPath: "; x\n[sssd]\ndomains = one, Two,three\n[nss]\nfilter_users = root,admin\n[domain/one]\nid_provider = ldap\nldap_uri = ldap://a,\n" +
			"  ldap://b\nldap_network_timeout = 3\nldap_network_timeout = 4\nldap_search_timeout = x\n[domain/two]\nid_provider=files\n" +
			"[domain/three]\nid_provider = ad\nad_server = dc1.acme.private, _srv_\nnonsense\n[broken\n[domain/four]\nid_provider = ldap\n",
		"/etc/sssd/conf.d/20.conf":      "[domain/one]\nldap_opt_timeout = 9\n",
		"/etc/sssd/conf.d/10.conf":      "[domain/one]\nldap_opt_timeout = 7\n",
		"/etc/sssd/conf.d/.hidden.conf": "[domain/one]\nldap_opt_timeout = 1\n",
	})
	if len(c.domains) != 2 {
		t.Fatalf("%+v", c)
	}
	one, three := c.domains[0], c.domains[1]
	if len(one.uris) != 2 || one.uris[1].s != "ldap://b" || one.network.n != 4 || one.network.at.Line != 11 || one.search.n != 6 {
		t.Errorf("%+v", one)
	}
	if one.opt.n != 9 || one.opt.at.File != "/etc/sssd/conf.d/20.conf" || one.resolve.at.Line != 0 {
		t.Errorf("%+v", one)
	}
	if len(three.uris) != 2 || three.uris[0].s != "ldap://dc1.acme.private" {
		t.Errorf("%+v", three)
	}
	if !c.filtered["admin"] || c.filtered["ops"] {
		t.Errorf("%v", c.filtered)
	}
	if len(notes) != 5 {
		t.Errorf("%d notes %q", len(notes), notes)
	}
}

func TestParseNscd(t *testing.T) {
	kept := parseNscd("enable-cache passwd yes\nenable-cache\t\tgroup\t\tyes # why\nenable-cache passwd no\nenable-cache hosts\npositive-time-to-live group 60\n")
	if len(kept) != 1 || kept["group"].at.Line != 2 {
		t.Errorf("%v", kept)
	}
}
