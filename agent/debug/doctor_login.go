package debug

import (
	"fmt"

	"reveille/bootstrap/facts"
	"reveille/roles/logins"
)

// loginOverBudget finds logins that may take longer than they may, as the
// machine is now: of each kind of user the longest until authentication, and
// the longest after it.
func loginOverBudget(p Patient) []facts.Finding {
	if p.Logins == nil {
		return nil
	}
	var all []facts.Finding
	for _, e := range logins.Worst(p.Logins.Now.excess) {
		severity := facts.Error
		if e.Case.User == logins.DirectoryUser {
			severity = facts.Warning
		}
		all = append(all, found("login-over-budget", severity, e.String()+".", loginRemedy(*p.Logins, e))...)
	}
	return all
}

// loginRemedy is what to change about the longest wait.
func loginRemedy(r LoginReport, e logins.Excess) string {
	longest := e.Longest()
	say := fmt.Sprintf("%s of it by %s: %s. `reveille debug login-budget %s` has every wait.", longest.Takes, longest.At(), longest.Remedy, e.Case.Servers)
	if r.mended(e) {
		return "`reveille boot` mends it. " + say
	}
	return say
}
