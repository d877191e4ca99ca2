package logins

import (
	"slices"
	"strings"

	"reveille/roles/cite"
)

// sssdConf is sssd.conf with what lies in conf.d, as sssd merges them.
type sssdConf struct {
	domains  []sssdDomain
	filtered map[string]bool // [nss] filter_users: never asked of the directory
}

// sssdDomain is one domain's servers and limits, with sssd's own defaults
// (src/providers/ldap/ldap_opts.c).
type sssdDomain struct {
	name     string
	uris     []wordAt
	network  numeric // ldap_network_timeout
	opt      numeric // ldap_opt_timeout
	search   numeric // ldap_search_timeout
	resolve  numeric // dns_resolver_timeout
	dns      numeric // dns_resolver_server_timeout, milliseconds
	beat     numeric // timeout, between the heartbeats of its process
	startTLS bool
}

// parseSSSD reads sssd.conf and then the snippets in the order of their names.
func parseSSSD(files map[string]string) (sssdConf, remarks) {
	ini := iniFile{}
	notes := parseINI(sssdPath, files[sssdPath], ini)
	var snippets []string
	for path := range files {
		base, ok := strings.CutPrefix(path, "/etc/sssd/conf.d/")
		if ok && strings.HasSuffix(base, ".conf") && !strings.HasPrefix(base, ".") && !strings.Contains(base, "/") {
			snippets = append(snippets, path)
		}
	}
	slices.Sort(snippets)
	for _, path := range snippets {
		notes = append(notes, parseINI(path, files[path], ini)...)
	}

	c := sssdConf{filtered: map[string]bool{"root": true}}
	if v, ok := ini["nss"]["filter_users"]; ok {
		c.filtered = map[string]bool{}
		for _, u := range commaWords(v.s) {
			c.filtered[u] = true
		}
	}
	for _, name := range commaWords(ini["sssd"]["domains"].s) {
		if d, ok := newSSSDDomain(name, ini["domain/"+strings.ToLower(name)], &notes); ok {
			c.domains = append(c.domains, d)
		}
	}
	return c, notes
}

// newSSSDDomain reads one section. A domain that asks no server over LDAP is
// none that can hang.
func newSSSDDomain(name string, keys map[string]wordAt, notes *remarks) (sssdDomain, bool) {
	own := cite.Place{File: sssdPath}
	d := sssdDomain{
		name: name, network: numeric{6, own}, opt: numeric{8, own}, search: numeric{6, own},
		resolve: numeric{6, own}, dns: numeric{1000, own}, beat: numeric{sssdBeat, own},
	}
	numbers := map[string]*numeric{
		"ldap_network_timeout": &d.network, "ldap_opt_timeout": &d.opt, "ldap_search_timeout": &d.search,
		"dns_resolver_timeout": &d.resolve, "dns_resolver_server_timeout": &d.dns, "timeout": &d.beat,
	}
	for _, key := range sortedKeys(numbers) {
		if w, ok := keys[key]; ok {
			notes.number(numbers[key], key, w.s, w.at)
		}
	}
	if d.beat.n == 0 {
		d.beat.n = sssdBeat
	}
	d.startTLS = strings.EqualFold(keys["ldap_id_use_start_tls"].s, "true")
	provider := strings.ToLower(keys["id_provider"].s)
	switch provider {
	case "files", "local", "proxy", "":
		notes.add(cite.Place{File: sssdPath}, "domain %s has the provider %s, whose time is not counted", name, cite.Quote(provider))
		return d, false
	}
	for _, key := range []string{"ldap_uri", "ldap_backup_uri", "ad_server", "ad_backup_server", "ipa_server", "ipa_backup_server"} {
		for _, u := range commaWords(keys[key].s) {
			if u == "_srv_" {
				notes.add(keys[key].at, "the servers come from DNS, how many is not known: taken as one")
			}
			if !strings.Contains(u, "://") {
				u = "ldap://" + u
			}
			d.uris = append(d.uris, wordAt{u, keys[key].at})
		}
	}
	if len(d.uris) == 0 {
		notes.add(own, "domain %s names no server: they come from DNS, how many is not known: taken as one", name)
		d.uris = []wordAt{{"ldap://_srv_", own}}
	}
	return d, true
}

// parseNscd is which databases nscd keeps; the last line of each counts.
func parseNscd(text string) map[string]wordAt {
	kept := map[string]wordAt{}
	for _, kv := range keyValues(nscdPath, text) {
		value, _, _ := strings.Cut(kv.value, "#")
		f := strings.Fields(value)
		if kv.key != "enable-cache" || len(f) != 2 {
			continue
		}
		delete(kept, f[0])
		if f[1] == "yes" {
			kept[f[0]] = wordAt{"enable-cache " + f[0] + " yes", kv.at}
		}
	}
	return kept
}
