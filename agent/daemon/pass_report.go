package daemon

import (
	"errors"
	"slices"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
)

// note enters what was not as it should be, and kept nothing from going on.
func note(r *api.Report, err error) {
	if err != nil && !slices.Contains(r.Notes, err.Error()) {
		r.Notes = append(r.Notes, err.Error())
	}
}

// hostname is the name after the pass: a step may have changed it, and so may
// what was put back of another machine's, though nothing could be decided.
func hostname(c agent.Config, before string) string {
	if now := facts.ReadHostname(c.Host); now != "" {
		return now
	}
	return before
}

// lines takes joined errors apart, so that each stands alone in the report.
// One that wraps several with words of its own between them stays whole.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	if joined := errors.Join(many.Unwrap()...); joined == nil || joined.Error() != err.Error() {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range many.Unwrap() {
		all = append(all, lines(e)...)
	}
	return all
}
