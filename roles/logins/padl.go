package logins

import "fmt"

// padlClient is PADL's nss_ldap, or its pam_ldap, which run inside each
// program that asks and remember nothing from one to the next. The arithmetic
// is that of do_with_reconnect in ldap-nss.c: with bind_policy soft one round
// over the servers; else so many rounds, with sleeps that double between them.
type padlClient struct {
	m    *loginMachine
	conf padlConf
}

func (c padlClient) waits(s Servers, searches []int) []Bound {
	out := make([]Bound, len(searches))
	for i := range searches {
		out[i] = c.request(s)
	}
	return out
}

// request is one lookup, which is one search here.
func (c padlClient) request(s Servers) Bound {
	if s == AllUp {
		return Bound{}
	}
	bind := secs(c.conf.bind.n)
	if c.conf.bind.n == 0 {
		bind = secs(noConnect)
	}
	var all, first Bound
	for i, u := range c.conf.uris {
		host := uriHost(u.s)
		name, _ := c.m.nameLookup(host, s)
		attempt := longer(name, c.m.lastName(host, s).Plus(bind))
		if i == 0 {
			first = attempt
		}
		if s == OneDown && i == 1 {
			return first.Plus(name)
		}
		all = all.Plus(attempt)
	}
	if s == AllSlow {
		answer := secs(c.conf.limit.n)
		if c.conf.limit.n == 0 {
			answer = forEver
		}
		steps := 1
		if uriTLS(c.conf.uris[0].s) {
			steps = 2
		}
		return first.Plus(bind.Times(steps)).Plus(answer)
	}
	if c.conf.soft {
		return all
	}
	rounds := c.conf.maxTries.n + c.conf.tries.n
	return all.Times(max(1, rounds)).Plus(secs(c.sleeps(rounds)))
}

// sleeps is the seconds slept between the rounds: 4, 8, 16, 32, 64 by default.
// Releases after 2008 end with 32 a second time; the older ones are the bound.
func (c padlClient) sleeps(rounds int) int {
	sum, sleep := 0, 0
	for try := 1; try < rounds; try++ {
		if try < c.conf.maxTries.n {
			continue
		}
		switch {
		case sleep == 0:
			sleep = c.conf.sleep.n
		case sleep < c.conf.maxSleep.n:
			sleep *= 2
		}
		sum += sleep
	}
	return sum
}

func (c padlClient) groupsIgnored(p person) bool { return c.conf.ignored[p.name] }

func (c padlClient) unknown(person) bool { return false }

func (c padlClient) dead(s Servers) bool { return noneAnswers(len(c.conf.uris), s) }

func (c padlClient) limit() string {
	policy := "bind_policy hard"
	if c.conf.soft {
		policy = "one round"
	}
	return fmt.Sprintf("%d servers, %s, %s, %s in %s", len(c.conf.uris), policy,
		c.conf.bind.said("bind_timelimit"), c.conf.limit.said("timelimit"), c.conf.file)
}

func (c padlClient) remedy() string {
	if c.conf.soft {
		return "set shorter bind_timelimit and timelimit in " + c.conf.file
	}
	return "set bind_policy soft, and short bind_timelimit and timelimit, in " + c.conf.file
}
