package roles

import (
	"fmt"
	"time"
)

// Excess is a part of a login that takes longer than it may.
type Excess struct {
	Case  Case
	When  When
	Takes Bound
	Limit time.Duration
}

// String says whose login, when and by how much.
func (e Excess) String() string {
	return fmt.Sprintf("the login of %s (%s), servers %s: %s authentication takes up to %s, and may take %s",
		e.Case.Name, e.Case.User, e.Case.Servers, e.When, e.Takes, e.Limit)
}

// Terms are the waits that it is made of.
func (e Excess) Terms() []Term {
	var out []Term
	for _, t := range e.Case.Terms {
		if judged(t) == e.When {
			out = append(out, t)
		}
	}
	return out
}

// DefaultLimit is the login_budget that nobody has set: half of LoginGraceTime,
// and no more than 30 s.
func (b Budget) DefaultLimit() time.Duration { return min(b.Grace/2, 30*time.Second) }

// Over judges. A local user's login, in any state of the servers, may take
// login until sshd lets him in and after from then to a shell; 0 is the
// default, for each. A directory user's, with every server dead, may take
// LoginGraceTime.
//
// A home or a shell on a network path counts as what comes after, also where
// sshd reads the keys in it: no file of a name service makes it better or
// worse, so that it must not stand in the way of one. It has no limit for a
// directory user.
func (b Budget) Over(login, after time.Duration) []Excess {
	if login == 0 {
		login = b.DefaultLimit()
	}
	if after == 0 {
		after = b.DefaultLimit()
	}
	var out []Excess
	for _, c := range b.Cases {
		limits := map[When]time.Duration{BeforeLogin: login, AfterLogin: after}
		if c.User == DirectoryUser {
			if c.Servers != AllDown && c.Servers != AllHung {
				continue
			}
			limits = map[When]time.Duration{BeforeLogin: b.Grace}
		}
		for _, when := range []When{BeforeLogin, AfterLogin} {
			limit, has := limits[when]
			if takes := c.Judged(when); has && takes.Over(limit) {
				out = append(out, Excess{c, when, takes, limit})
			}
		}
	}
	return out
}

// Judged is a part of a login as Over holds it to its limit.
func (c Case) Judged(when When) Bound {
	var sum Bound
	for _, t := range c.Terms {
		if judged(t) == when {
			sum = sum.Plus(t.Takes)
		}
	}
	return sum
}

// judged is the part whose limit a wait counts for.
func judged(t Term) When {
	if t.Of == OfHome && t.When == BeforeLogin {
		return AfterLogin
	}
	return t.When
}
