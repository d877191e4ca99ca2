package logins

import (
	"slices"
	"time"
)

// Exceeds is what speaks against bringing a machine from one budget to this
// one: for each kind of user, the worst that would be over its limit (login is
// the profile's login_budget) and longer than it is now. What is over and no
// longer than before harms nobody.
//
// Programs that sshd or PAM runs, and homes on the network, are left out on
// both sides: no file of a name service makes them better or worse.
func (b Budget) Exceeds(now Budget, login time.Duration) []Excess {
	b, now = b.nameService(), now.nameService()
	return slices.DeleteFunc(Worst(b.Over(login, 0)), func(e Excess) bool {
		return !now.longest(e.Case.User, e.When).Less(e.Takes)
	})
}

// nameService is the budget with only those waits that hang on a name service.
func (b Budget) nameService() Budget {
	b.Cases = slices.Clone(b.Cases)
	for i, c := range b.Cases {
		b.Cases[i].Terms = slices.DeleteFunc(slices.Clone(c.Terms), func(t Term) bool {
			return t.Of == OfCommand || t.Of == OfHome
		})
	}
	return b
}

// longest is the longest of a part of a user's login, in those states of the
// servers that count for him.
func (b Budget) longest(u Who, when When) Bound {
	var out Bound
	for _, c := range b.Cases {
		if c.User == u && c.counts() {
			out = longer(out, c.Judged(when))
		}
	}
	return out
}

// Mendable is what of these a profile is to blame for, and what must not be
// written either way. The rest is noted and written: where servers take
// connections and answer late or never, the least limits wait as long. So does
// nslcd, 60 s a request, for one that does not answer TLS, whatever it is told,
// and sssd until its watchdog ends it.
//
// What keeps the break-glass user from authenticating is never among the rest:
// he is the way in when the directory is gone. (After that sshd waits for him,
// however long it takes.)
func Mendable(over []Excess, least Budget) []Excess {
	return slices.DeleteFunc(slices.Clone(over), func(e Excess) bool {
		if e.Case.User == BreakGlassUser && e.When == BeforeLogin {
			return false
		}
		return (e.Case.Servers == AllHung || e.Case.Servers == AllSlow) && e.Takes.Over(least.DefaultLimit()) && // else a shorter login_budget is to blame
			!least.Case(e.Case.User, e.Case.Servers).Judged(e.When).Less(e.Takes)
	})
}
