package logins

import (
	"strings"

	"reveille/roles/cite"
)

// nslcdConf is /etc/nslcd.conf, with nslcd's own defaults (nslcd/cfg.c).
type nslcdConf struct {
	uris     []wordAt
	bind     numeric // bind_timelimit: a connection, TLS and the bind, each
	limit    numeric // timelimit: a search; 0 is for ever
	sleep    numeric // reconnect_sleeptime
	retry    numeric // reconnect_retrytime
	startTLS bool
	authz    int             // searches of pam_authz_search
	ignored  map[string]bool // nss_initgroups_ignoreusers
	allLocal bool            // ALLLOCAL among them
}

// parseNslcd reads it: keywords in any case, the last number counts, servers,
// users and authorization searches add up.
func parseNslcd(text string) (nslcdConf, remarks) {
	own := cite.Place{File: nslcdPath}
	c := nslcdConf{
		bind: numeric{10, own}, limit: numeric{0, own}, sleep: numeric{1, own}, retry: numeric{10, own},
		ignored: map[string]bool{},
	}
	numbers := map[string]*numeric{
		"bind_timelimit": &c.bind, "timelimit": &c.limit, "reconnect_sleeptime": &c.sleep,
		"reconnect_retrytime": &c.retry,
	}
	var notes remarks
	for _, kv := range keyValues(nslcdPath, text) {
		switch {
		case numbers[kv.key] != nil:
			notes.number(numbers[kv.key], kv.key, kv.value, kv.at)
		case kv.key == "uri":
			for _, u := range strings.Fields(kv.value) {
				if strings.HasPrefix(strings.ToLower(u), "dns") {
					notes.add(kv.at, "the servers come from DNS when nslcd starts, how many is not known: taken as one")
				}
				c.uris = append(c.uris, wordAt{u, kv.at})
			}
		case kv.key == "ssl":
			c.startTLS = strings.EqualFold(kv.value, "start_tls")
		case kv.key == "pam_authz_search":
			c.authz++
		case kv.key == "nss_initgroups_ignoreusers":
			for _, u := range commaWords(kv.value) {
				c.allLocal = c.allLocal || strings.EqualFold(u, "ALLLOCAL")
				c.ignored[u] = true
			}
		}
	}
	if len(c.uris) == 0 {
		c.uris = []wordAt{{"ldap://localhost/", own}}
	}
	return c, notes
}

// padlConf is the file of PADL's nss_ldap or pam_ldap (util.c, ldap-nss.h).
type padlConf struct {
	file     string
	uris     []wordAt
	bind     numeric
	limit    numeric
	tries    numeric // nss_reconnect_tries
	sleep    numeric // nss_reconnect_sleeptime
	maxSleep numeric // nss_reconnect_maxsleeptime
	maxTries numeric // nss_reconnect_maxconntries: rounds before the first sleep
	soft     bool
	ignored  map[string]bool
}

// parsePADL reads it; the last value counts, servers add up.
func parsePADL(file, text string) (padlConf, remarks) {
	own := cite.Place{File: file}
	c := padlConf{
		file: file, bind: numeric{30, own}, limit: numeric{0, own}, tries: numeric{5, own},
		sleep: numeric{4, own}, maxSleep: numeric{64, own}, maxTries: numeric{2, own},
		ignored: map[string]bool{},
	}
	numbers := map[string]*numeric{
		"bind_timelimit": &c.bind, "timelimit": &c.limit, "nss_reconnect_tries": &c.tries,
		"nss_reconnect_sleeptime": &c.sleep, "nss_reconnect_maxsleeptime": &c.maxSleep,
		"nss_reconnect_maxconntries": &c.maxTries,
	}
	var notes remarks
	for _, kv := range keyValues(file, text) {
		switch {
		case numbers[kv.key] != nil:
			notes.number(numbers[kv.key], kv.key, kv.value, kv.at)
		case kv.key == "uri" || kv.key == "host":
			for _, u := range strings.Fields(kv.value) {
				if kv.key == "host" {
					u = "ldap://" + u
				}
				c.uris = append(c.uris, wordAt{u, kv.at})
			}
		case kv.key == "bind_policy":
			c.soft = strings.EqualFold(kv.value, "soft")
		case kv.key == "nss_initgroups_ignoreusers":
			for _, u := range strings.Split(kv.value, ",") {
				c.ignored[strings.TrimSpace(u)] = true
			}
		}
	}
	if len(c.uris) == 0 {
		notes.add(own, "names no server: they come from DNS, how many is not known: taken as one")
		c.uris = []wordAt{{"ldap://dns-srv/", own}}
	}
	return c, notes
}
