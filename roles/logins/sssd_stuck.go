package logins

import (
	"slices"
	"strings"
)

// sssdBeat is how many seconds are between two heartbeats of one of sssd's
// processes where its section has no timeout.
const sssdBeat = 10

// stuck is how long a domain's process does nothing at all for a server's TLS:
// libldap waits for it without a limit and without giving the process its turn
// (ldap_install_tls, called by src/util/sss_ldap.c). A server that has hung never
// comes as far as STARTTLS. What ends it is the process's own watchdog
// (src/util/util_watchdog.c), which is set to timeout and a second at first, then
// to timeout again and again, and ends the process at the third time that it was
// not answered between. Another second is for the next one to start in: 31.4 s
// were measured with the default.
func (d sssdDomain) stuck(u wordAt, s Servers) int {
	if s == AllHung && uriTLS(u.s) || s == AllSlow && (uriTLS(u.s) || d.startTLS) {
		return 3*d.beat.n + 2
	}
	return 0
}

// tls says whether any server is spoken to by TLS.
func (c sssdClient) tls() bool {
	return slices.ContainsFunc(c.conf.domains, func(d sssdDomain) bool {
		return d.startTLS || slices.ContainsFunc(d.uris, func(u wordAt) bool { return uriTLS(u.s) })
	})
}

func (c sssdClient) watchdog() string {
	var beats []string
	for _, d := range c.conf.domains {
		beats = append(beats, d.beat.said("timeout"))
	}
	return "stuck in TLS until its watchdog ends it, after three times " + strings.Join(beats, " and ")
}

// sssdStuck is sssd asked about somebody whom it never asks a directory for. Its
// PAM answers not even that before the domains' processes have answered it once,
// which is anew with each of them: measured beside servers that accept and are
// silent, login after login.
type sssdStuck struct{ sssdClient }

func (c sssdStuck) waits(s Servers, searches []int) []Bound {
	sum := 0
	for _, d := range c.conf.domains {
		longest := 0
		for _, u := range d.uris {
			longest = max(longest, d.stuck(u, s))
		}
		sum += longest
	}
	return slices.Repeat([]Bound{secs(min(sum, sssGivesUp))}, len(searches))
}

func (c sssdStuck) limit() string { return "sssd: " + c.watchdog() + " in " + sssdPath }
