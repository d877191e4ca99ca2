package logins

import (
	"fmt"
	"net/netip"
	"strings"
)

// sssdClient is sssd. Its failover goes over a domain's servers once; when
// none could be reached the domain is offline, and is not tried again for at
// least half a minute: all that comes after is answered from the cache, which
// is taken as empty.
type sssdClient struct {
	m    *loginMachine
	conf sssdConf
}

// sssGivesUp is how long sssd's modules wait for it: SSS_CLI_SOCKET_TIMEOUT.
const sssGivesUp = 300

func (c sssdClient) waits(s Servers, searches []int) []Bound {
	out := make([]Bound, len(searches))
	for i, n := range searches {
		sum := 0
		for _, d := range c.conf.domains {
			sum += c.request(d, s, n, i == 0)
		}
		out[i] = secs(min(sum, sssGivesUp))
	}
	return out
}

// request is the seconds of one request of so many searches; first says that
// it is the one that finds out.
func (c sssdClient) request(d sssdDomain, s Servers, searches int, first bool) int {
	all, stuck := 0, 0
	for i, u := range d.uris {
		n := c.name(d, uriHost(u.s), s)
		if s == OneDown && i > 0 {
			all += n
			break
		}
		if stuck = d.stuck(u, s); stuck > 0 { // until the server's answer, or the process's end
			all += n + stuck
			break
		}
		all += max(n, min(n, c.oneLeft(d))+d.connect(s))
		if s == AllSlow {
			break
		}
	}
	switch {
	case s == AllHung && stuck > 0:
		return d.search.n + all // each time: its next process knows of nothing that failed
	case s == AllUp, !first && s != AllSlow:
		return 0
	case s == AllSlow:
		// The connection and TLS, the server's own entry, the bind.
		once := all + d.network.n + d.search.n + d.opt.n
		if !first {
			once = 0
		}
		return once + searches*d.search.n
	case s == AllHung:
		return d.search.n + all // on the connection that is open
	}
	return all
}

// connect is what a server that does not answer costs: no connection, or one
// on which TLS is not answered, nor the first question. Measured with two
// servers by ldaps, 2 s and 5 s: eight for each, a second of it for its name.
func (d sssdDomain) connect(s Servers) int {
	if s == AllHung {
		return d.network.n + max(d.opt.n, d.search.n)
	}
	return d.network.n
}

// name is how long sssd's own resolver looks for a server, files first.
func (c sssdClient) name(d sssdDomain, host string, s Servers) int {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err == nil || host == "" || c.m.hosts[strings.ToLower(host)] || s == AllUp {
		return 0
	}
	if s == OneDown && len(c.m.resolv.servers) > 1 {
		return min(d.resolve.n, (d.dns.n+999)/1000)
	}
	return d.resolve.n
}

// oneLeft is how long it takes to the last nameserver when the others are dead.
func (c sssdClient) oneLeft(d sssdDomain) int {
	return (d.dns.n*(len(c.m.resolv.servers)-1) + 999) / 1000
}

func (c sssdClient) groupsIgnored(p person) bool { return c.conf.filtered[p.name] }

func (c sssdClient) unknown(p person) bool { return c.conf.filtered[p.name] }

// dead says so of the domain with the most servers: any may know the user.
func (c sssdClient) dead(s Servers) bool {
	most := 0
	for _, d := range c.conf.domains {
		most = max(most, len(d.uris))
	}
	return noneAnswers(most, s)
}

func (c sssdClient) limit() string {
	var parts []string
	for _, d := range c.conf.domains {
		parts = append(parts, fmt.Sprintf("%d servers, %s, %s, %s, %s", len(d.uris), d.network.said("ldap_network_timeout"),
			d.search.said("ldap_search_timeout"), d.opt.said("ldap_opt_timeout"), d.resolve.said("dns_resolver_timeout")))
	}
	if c.tls() {
		parts = append(parts, c.watchdog())
	}
	return "sssd: " + strings.Join(parts, "; ") + " in " + sssdPath
}

func (c sssdClient) remedy() string {
	more := ""
	if c.tls() {
		more = ", and timeout for servers that are silent in TLS,"
	}
	return "set shorter ldap_network_timeout, ldap_search_timeout, ldap_opt_timeout and dns_resolver_timeout" + more + " in " + sssdPath
}
