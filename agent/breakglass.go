package agent

import (
	"fmt"

	"reveille/bootstrap/facts"
	"reveille/roles"
	"reveille/roles/logins"
)

// BreakGlass is what stands against the account that must always get in, the
// profile's own words for it at the head of each title.
func BreakGlass(p roles.Profile, a facts.Account) []facts.Finding {
	return logins.ProveBreakGlass(a, fmt.Sprintf("The break-glass account %s (%s)", a.Name, p.Why("directory.break_glass")), p.LoginBudget)
}
