package logins

import (
	"fmt"
	"slices"
	"sort"
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

// Longest is the longest of them, the first of several.
func (e Excess) Longest() Term {
	var longest Term
	for _, t := range e.Terms() {
		if longest.What == "" || longest.Takes.Less(t.Takes) {
			longest = t
		}
	}
	return longest
}

// Breaks are the waits that break the limit, the longest first: as many as would
// have to go for the rest to keep it.
func (e Excess) Breaks() []Term {
	all := e.Terms()
	sort.SliceStable(all, func(i, j int) bool { return all[j].Takes.Less(all[i].Takes) })
	var rest Bound
	for i, t := range slices.Backward(all) {
		if rest = rest.Plus(t.Takes); rest.Over(e.Limit) {
			return all[:i+1]
		}
	}
	return nil
}

// At is where it stands: the file, and the line where one says it.
func (t Term) At() string {
	if t.Line == 0 {
		return t.File
	}
	return fmt.Sprintf("%s:%d", t.File, t.Line)
}

// DefaultLimit is the login_budget that nobody has set: half of LoginGraceTime,
// and no more than 30 s.
func (b Budget) DefaultLimit() time.Duration { return min(b.Grace/2, 30*time.Second) }

// Limit is a login_budget held to sshd's own limit; 0 is the default. One
// above is an error, and then the answer is sshd's: who is let in later than
// that is not let in.
func (b Budget) Limit(login time.Duration) (time.Duration, error) {
	switch {
	case login == 0:
		return b.DefaultLimit(), nil
	case login > b.Grace:
		return b.Grace, fmt.Errorf("login_budget is %s, and this machine's sshd waits for %s (LoginGraceTime): set it to %[2]s or less", login, b.Grace)
	}
	return login, nil
}

// Worst keeps of each user's excesses the longest until authentication, and
// the longest after it.
func Worst(all []Excess) []Excess {
	var out []Excess
	for _, e := range all {
		i := slices.IndexFunc(out, func(o Excess) bool { return o.Case.User == e.Case.User && o.When == e.When })
		if i < 0 {
			out = append(out, e)
		} else if out[i].Takes.Less(e.Takes) {
			out[i] = e
		}
	}
	return out
}

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
	login, _ = b.Limit(login)
	if after == 0 {
		after = b.DefaultLimit()
	}
	var out []Excess
	for _, c := range b.Cases {
		if !c.counts() {
			continue
		}
		limits := map[When]time.Duration{BeforeLogin: login, AfterLogin: after}
		if c.User == DirectoryUser {
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

// counts says whether there is a limit for the case: a local user's in any
// state of the servers, a directory user's with every server dead.
func (c Case) counts() bool {
	return c.User != DirectoryUser || c.Servers == AllDown || c.Servers == AllHung
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
