package debug

import (
	"errors"
	"time"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/roles"
	"reveille/roles/logins"
)

// ErrNoLogin says that replayed facts hold nothing of what a login passes
// through.
var ErrNoLogin = errors.New("these facts hold nothing of what a login passes through: `reveille debug facts --login --json` reads it too")

// LoginReport is how long logins may take, as the machine is and as a pass
// would leave it.
type LoginReport struct {
	BreakGlass string     `json:"break_glass"` // "" where nobody names one
	Now        LoginView  `json:"now"`
	After      *LoginView `json:"after"`     // null: what a pass would do is not known
	Undecided  string     `json:"undecided"` // why it is not; else ""
}

// LoginView is one budget, held to its limits.
type LoginView struct {
	GraceS      float64       `json:"grace_s"`       // sshd's LoginGraceTime
	LimitS      float64       `json:"limit_s"`       // what a local user's login may take until authentication
	AfterLimitS float64       `json:"after_limit_s"` // and from then to a shell
	Over        []LoginOver   `json:"over"`
	Cases       []logins.Case `json:"cases"`
	Notes       []string      `json:"notes"`

	excess []logins.Excess
}

// LoginOver is a part of a login that takes longer than it may.
type LoginOver struct {
	User    logins.Who     `json:"user"`
	Name    string         `json:"name"`
	Servers logins.Servers `json:"servers"`
	When    logins.When    `json:"when"`
	TakesS  logins.Bound   `json:"takes_s"`
	LimitS  float64        `json:"limit_s"`
}

// LoginAsked is whose logins are worked out: "" is the profile's break-glass
// account, and the local user who has it worst.
type LoginAsked struct {
	BreakGlass, Local string
	limit             time.Duration // the profile's login_budget
}

// Logins works out how long logins may take, from what was read of a machine
// and what was decided for it; err is why it was not.
func Logins(l facts.Login, w agent.Wanted, err error, asked LoginAsked) LoginReport {
	if d := w.Profile.Directory; err == nil && d != nil && asked.BreakGlass == "" {
		asked.BreakGlass = d.BreakGlass
	}
	if err == nil {
		asked.limit = w.Profile.LoginBudget
	}
	r := LoginReport{BreakGlass: asked.BreakGlass, Now: judge(l, asked)}
	if err == nil {
		// Anew, and not w.Plan: under another root that lacks the units.
		var p plan.Plan
		if p, err = roles.Plan(w.Facts, w.Profile); err == nil {
			after := judge(agent.AfterPass(l, p, nil), asked)
			r.After = &after
		}
	}
	if err != nil {
		r.Undecided = err.Error()
	}
	return r
}

// TooLong says whether anything is over its limit, now or after a pass.
func (r LoginReport) TooLong() bool {
	return len(r.Now.Over) > 0 || r.After != nil && len(r.After.Over) > 0
}

// judge works out a budget and holds it to its limits.
func judge(l facts.Login, asked LoginAsked) LoginView {
	b := agent.Budget(l, asked.BreakGlass, asked.Local)
	limit, err := b.Limit(asked.limit)
	v := LoginView{
		GraceS: b.Grace.Seconds(), LimitS: limit.Seconds(), AfterLimitS: b.DefaultLimit().Seconds(), Over: []LoginOver{}, Cases: b.Cases,
		Notes: append(append([]string{}, l.Notes...), b.Notes...), excess: b.Over(asked.limit, 0),
	}
	if err != nil {
		v.Notes = append(v.Notes, err.Error())
	}
	for _, e := range v.excess {
		v.Over = append(v.Over, LoginOver{e.Case.User, e.Case.Name, e.Case.Servers, e.When, e.Takes, e.Limit.Seconds()})
	}
	return v
}
