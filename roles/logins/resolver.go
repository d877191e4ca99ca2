package logins

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// What glibc waits for a DNS server, from resolv/res_send.c and res_query.c:
// the first server of a round gets T seconds, server i of n gets T·2^i/n, at
// least one; all that, attempts times, is a round. A name takes one round for
// each form of it that is tried, and a time-out ends the search.

// waitFor is the seconds that server i is given.
func (c resolvConf) waitFor(i int) int {
	w := c.timeout.n
	if i > 0 {
		w = c.timeout.n << i / len(c.servers)
	}
	return max(1, w)
}

// round is the seconds of one form of a name when no server answers.
func (c resolvConf) round() int {
	sum := 0
	for i := range c.servers {
		sum += c.waitFor(i)
	}
	return sum * max(0, c.attempts.n)
}

// lastAlive is the longest until an answer comes when one server still gives
// it, in the first go through the list.
func (c resolvConf) lastAlive() int {
	sum := 0
	for i := range len(c.servers) - 1 {
		sum += c.waitFor(i)
	}
	return sum
}

// rounds is how many forms of a name are tried when each times out.
func (c resolvConf) rounds(name string) int {
	if strings.HasSuffix(name, ".") || len(c.search) == 0 {
		return 1
	}
	return 2
}

// query is one question for a name, A or AAAA or both at once as getaddrinfo
// asks them.
func (c resolvConf) query(name string, s Servers) int {
	switch {
	case s == AllUp:
		return 0
	case s == OneDown && len(c.servers) > 1:
		return c.waitFor(0) // rotate changes who is first, not how long he gets
	case s != AllSlow:
		return c.rounds(name) * c.round()
	}
	forms := 1
	if strings.Count(name, ".") < c.ndots.n {
		forms += len(c.search) // each says no, slowly, before the next
	}
	if c.single {
		forms *= 2
	}
	return forms * c.round()
}

// resolvedLimit is how long systemd-resolved, and its module, wait for an
// answer, whatever the servers: 120 s, in systemd's resolved-def.h. No setting
// changes it.
const resolvedLimit = 120

// nameLookup is how long glibc looks for one name, and on which settings that
// hangs. Where nscd keeps hosts, glibc waits for it before it looks itself.
func (m *loginMachine) nameLookup(name string, s Servers) (Bound, string) {
	wait, why := m.hostSources(name, s)
	if kept, ok := m.nscd["hosts"]; ok && wait.Over(nscdWait*time.Second) {
		wait = wait.Plus(secs(nscdWait))
		why += fmt.Sprintf("; %d s for nscd, %q in %s", nscdWait, kept.s, nscdPath)
	}
	return wait, why
}

// hostSources walks the sources of the hosts line.
func (m *loginMachine) hostSources(name string, s Servers) (Bound, string) {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || s == AllUp || name == "" || name == "localhost" {
		return Bound{}, ""
	}
	var total Bound
	var why []string
	for _, src := range m.nss.line("hosts").sources {
		status := "notfound"
		switch src.name {
		case "files":
			if m.hosts[strings.ToLower(strings.TrimSuffix(name, "."))] {
				return total, strings.Join(why, "; ")
			}
		case "resolve":
			status = "unavail"
			if m.Running.Resolved {
				status = "tryagain"
				wait := secs(resolvedLimit)
				if s == OneDown {
					wait = secs(5) // resolved's own time for one server's answer
				}
				total = total.Plus(wait)
				why = append(why, "systemd-resolved, which has no setting for it")
			}
		case "dns":
			status = "tryagain"
			total = total.Plus(secs(m.resolv.query(name, s)))
			why = append(why, m.resolverLimit())
		default:
			status = "unavail"
		}
		if !src.goesOn(status) || s == OneDown && (status == "tryagain") {
			break
		}
	}
	return total, strings.Join(why, "; ")
}

// resolverLimit says which settings of resolv.conf a lookup hangs on.
func (m *loginMachine) resolverLimit() string {
	c := m.resolv
	return fmt.Sprintf("%d nameservers, %s, %s in %s",
		len(c.servers), c.timeout.said("timeout"), c.attempts.said("attempts"), resolvPath)
}

// lastName is how long a name takes when it is found all the same, by the last
// nameserver that lives.
func (m *loginMachine) lastName(name string, s Servers) Bound {
	all, _ := m.nameLookup(name, s)
	return shorter(all, secs(m.resolv.lastAlive()))
}

// reverseWait is what UseDNS costs: the name of the client's address, which no
// search list touches, and where there is one that name's address.
func (m *loginMachine) reverseWait(s Servers) (Bound, string) {
	all, why := m.nameLookup("client.invalid.", s) // a trailing dot: one round
	if s == AllSlow || s == OneDown {
		return all.Times(2), why
	}
	return all, why
}
