package logins

import (
	"fmt"
	"slices"
)

// nslcdClient is nslcd behind libnss-ldapd and libpam-ldapd. Its arithmetic is
// that of do_retry_search in nslcd/myldap.c.
type nslcdClient struct {
	m    *loginMachine
	conf nslcdConf
	cost map[Servers]int // of one search, once it is worked out
}

// nslcdGivesUp is how long its modules wait for nslcd, whatever is set: 60 s,
// in common/nslcd-prot.c.
const nslcdGivesUp = 60

// noConnect is how long the kernel goes on connecting where nobody bounds it,
// with the default tcp_syn_retries.
const noConnect = 127

// nslcdStalled is the same where nslcd takes a processor for itself meanwhile:
// 60.2 s were measured.
const nslcdStalled = nslcdGivesUp + 1

func (c nslcdClient) waits(s Servers, searches []int) []Bound {
	if c.stalls(s) {
		return slices.Repeat([]Bound{secs(nslcdStalled)}, len(searches))
	}
	cost := c.search(s)
	left := c.settled(s, searches)
	out := make([]Bound, len(searches))
	for i, n := range searches {
		w := min(n*cost, nslcdGivesUp, left)
		out[i], left = secs(w), left-w
	}
	return out
}

// search is the longest that one search takes, in seconds.
func (c nslcdClient) search(s Servers) int {
	if _, known := c.cost[s]; !known {
		c.cost[s] = c.workOut(s)
	}
	return c.cost[s]
}

func (c nslcdClient) workOut(s Servers) int {
	attempts := c.attempts(s)
	switch s {
	case AllUp:
		return 0
	case AllSlow:
		// Each of connection and bind takes its time, then the search. The first
		// server answers, so that no other is asked.
		return attempts[0] + c.connect() + c.answer()
	case OneDown:
		if len(attempts) > 1 {
			return attempts[0] + attempts[1] // the second answers
		}
	case AllHung:
		return c.answer() + nslcdRetries(attempts, c.conf.sleep.n, c.conf.retry.n)
	}
	return nslcdRetries(attempts, c.conf.sleep.n, c.conf.retry.n)
}

// stalls says whether nslcd waits for ever within libldap, whatever is set: for
// TLS to begin on a connection that is taken and not answered. libldap knows the
// limit for that as it does for connecting, and does not keep it: 2.5 with
// GnuTLS, Debian 12's, was seen to read in a circle until the server's end, with
// one processor taken. None of nslcd's threads that went there comes back, so
// nothing settles either: each request is waited for until its module gives up.
func (c nslcdClient) stalls(s Servers) bool {
	return (s == AllHung || s == AllSlow) && (c.conf.startTLS || slices.ContainsFunc(c.conf.uris, func(u wordAt) bool { return uriTLS(u.s) }))
}

// attempts is the seconds of one try at each server: its name, then the
// connection.
func (c nslcdClient) attempts(s Servers) []int {
	out := make([]int, len(c.conf.uris))
	for i, u := range c.conf.uris {
		name, _ := c.m.nameLookup(uriHost(u.s), s)
		found := c.m.lastName(uriHost(u.s), s)
		out[i] = wholeSecs(longer(name, found.Plus(secs(c.connect()))))
		if s == AllUp || s == OneDown && i > 0 {
			out[i] = wholeSecs(name)
		}
	}
	return out
}

// connect is the time of one step to an open connection.
func (c nslcdClient) connect() int {
	if c.conf.bind.n == 0 {
		return noConnect
	}
	return c.conf.bind.n
}

// answer is how long a search on an open connection is waited for.
func (c nslcdClient) answer() int {
	if c.conf.limit.n == 0 {
		return nslcdGivesUp
	}
	return c.conf.limit.n
}

// nslcdThreads is how many of nslcd's threads answer, each on a connection of
// its own, where no threads line says so.
const nslcdThreads = 5

// settled is when nslcd has found that its servers fail for good: one that has
// failed for longer than reconnect_retrytime is not tried again for as long.
// Till then come the first failure, the retry time, and what was begun within
// it. A server that answers, however slowly, never settles; nor does one that
// may be tried again by the time that the others have failed.
func (c nslcdClient) settled(s Servers, searches []int) int {
	attempts := c.attempts(s)
	all, asked := 0, 0
	for _, a := range attempts {
		all += a
	}
	for _, n := range searches {
		asked += n
	}
	switch {
	case s == AllUp || s == AllSlow:
		return asked * nslcdGivesUp
	case s == OneDown && len(attempts) > 1:
		// A thread that has found the second stays with it. The lookup of the
		// second one's name is saved by nothing.
		dead := 2*attempts[0] + c.conf.retry.n + 1
		if attempts[0] > c.conf.retry.n {
			dead = max(dead, nslcdThreads*attempts[0])
		}
		return dead + attempts[1]*asked
	case c.triedAgain(attempts):
		return asked * nslcdGivesUp
	case s == AllHung:
		// Each of nslcd's threads may hold an open connection that died.
		return 2*all + c.conf.retry.n + 1 + len(searches)*c.answer()
	}
	return 2*all + c.conf.retry.n + 1
}

// triedAgain says whether a dead server's time has come again when the others
// have failed: two servers at bind_timelimit 2 and reconnect_retrytime 1 were
// seen to take 4 s of each request, one after the other.
func (c nslcdClient) triedAgain(attempts []int) bool {
	all, longest := 0, 0
	for _, a := range attempts {
		all, longest = all+a, max(longest, a)
	}
	return len(attempts) > 1 && all-longest >= c.conf.retry.n
}

// nslcdRetries is the longest that one search tries: over the servers again
// and again, a sleep between, till reconnect_retrytime. A server that fails
// sooner than its limit is tried more often, and then longer, so this is the
// longest of all that the limits allow.
func nslcdRetries(attempts []int, sleep, retry int) int {
	longest, most := 0, 0
	for _, a := range attempts {
		longest = max(longest, a)
	}
	for n := range attempts {
		for cut := range min(longest, nslcdGivesUp) + 1 {
			most = max(most, nslcdTries(attempts[:n+1], cut, sleep, retry))
		}
	}
	return most
}

// nslcdTries follows one search, no attempt longer than cut.
func nslcdTries(attempts []int, cut, sleep, retry int) int {
	now := 0
	first := make([]int, len(attempts))
	failed := make([]bool, len(attempts))
	for now < nslcdGivesUp {
		next := retry
		for i, a := range attempts {
			now += min(a, cut)
			if !failed[i] {
				first[i], failed[i] = now, true
			}
			if now <= first[i]+retry {
				next = min(next, now+sleep)
			}
		}
		if next >= retry {
			break
		}
		now = max(now+1, next)
	}
	return min(now, nslcdGivesUp)
}

// groupsIgnored knows the accounts that were there when nslcd started; one that
// is made later is ignored from its next start.
func (c nslcdClient) groupsIgnored(p person) bool {
	return c.conf.ignored[p.name] || c.conf.allLocal && p.local
}

func (c nslcdClient) unknown(person) bool { return false }

func (c nslcdClient) dead(s Servers) bool { return noneAnswers(len(c.conf.uris), s) }

func (c nslcdClient) limit() string {
	return fmt.Sprintf("nslcd: %d servers, %s, %s, %s in %s", len(c.conf.uris), c.conf.bind.said("bind_timelimit"),
		c.conf.limit.said("timelimit"), c.conf.retry.said("reconnect_retrytime"), nslcdPath)
}

func (c nslcdClient) remedy() string {
	return "set shorter bind_timelimit, timelimit and reconnect_retrytime in " + nslcdPath
}
