package debug

import (
	"reveille/agent"
	"reveille/bootstrap/facts"
)

// breakGlassAccount finds what keeps the account that must always get in from
// being one that can: whoever it is, the machine itself has to know it.
func breakGlassAccount(p Patient) []facts.Finding {
	d := p.Wanted.Profile.Directory
	if p.Login == nil || p.Err != nil || d == nil || d.BreakGlass == "" {
		return nil
	}
	account := facts.Account{Name: d.BreakGlass, Login: *p.Login}
	if p.Account != nil {
		account = *p.Account
	}
	return agent.BreakGlass(p.Wanted.Profile, account)
}
