package logins

import (
	"slices"

	"reveille/roles/cite"
)

// request is one wait of a login, before it is known how long it is: a
// question to a directory client, or something that bounds itself.
type request struct {
	of     Of
	what   string
	at     cite.Place // what has it asked
	remedy string

	client   dirClient // nil: fixed is the wait
	searches int       // LDAP searches in a row that answer it
	fixed    Bound
	limit    string
	heldBack bool // sshd holds its answer back for as long again
}

// work makes the case of one person.
func (m *loginMachine) work(p person, s Servers) Case {
	p.servers = s
	refused := m.refusal(p)
	before := m.beforeLogin(p, refused != "")
	var after, sudo []request
	if refused == "" {
		after = m.afterLogin(p)
	}
	if refused == "" && !m.Judged {
		sudo = m.passwordAsked(p)
	}
	c := Case{User: p.who, Name: p.name, Servers: s, Refused: refused, Terms: []Term{}}
	c.Before = c.stretch(BeforeLogin, before, s)
	c.After = c.stretch(AfterLogin, after, s)
	if m.Judged {
		c.Total = c.Before.Plus(c.After) // for telling who has it worst
		return c
	}
	c.Password = c.stretch(ForPassword, sudo, s)
	var whole Case
	c.Total = whole.stretch(BeforeLogin, slices.Concat(before, after), s)
	return c
}

// stretch adds the terms of one part of a login and sums them up. Each client
// begins it without knowing that its servers are dead. Clients are told apart
// by their settings.
func (c *Case) stretch(when When, requests []request, s Servers) Bound {
	searches := map[string][]int{}
	keys := make([]string, len(requests))
	for i, r := range requests {
		if r.client != nil {
			keys[i] = r.client.limit()
			searches[keys[i]] = append(searches[keys[i]], r.searches)
		}
	}
	waits := map[string][]Bound{}
	var sum Bound
	for i, r := range requests {
		t := Term{when, r.of, r.what, r.fixed, r.limit, r.at.File, r.at.Line, r.remedy}
		known := false
		if r.client != nil {
			k := keys[i]
			if waits[k] == nil {
				waits[k] = r.client.waits(s, searches[k])
			}
			t.Takes, t.Limit, waits[k] = waits[k][0], k, waits[k][1:]
			known = t.Takes == (Bound{}) && r.client.waits(s, []int{r.searches})[0] != (Bound{})
		}
		if r.heldBack && t.Takes != (Bound{}) {
			t.Takes = t.Takes.Times(2)
			t.Limit += "; twice: sshd holds its answer back for up to as long again"
		}
		if known {
			// It would wait if it came first, and does once those before are mended.
			t.Limit = "none of its own: by then the servers have failed for long enough; " + t.Limit
		}
		if known || t.Takes != (Bound{}) {
			sum = sum.Plus(t.Takes)
			c.Terms = append(c.Terms, t)
		}
	}
	return sum
}

// refusal says why a directory user is not let in at all: with every server
// dead and nothing kept of him, the machine does not know him. It costs him
// the search for his name and no more.
func (m *loginMachine) refusal(p person) string {
	if p.local || p.servers == AllUp || p.servers == AllSlow {
		return ""
	}
	for _, c := range m.clients {
		if !c.dead(p.servers) {
			return ""
		}
	}
	return "no server says who this is; what nscd or sssd may have kept of him is not counted on"
}
