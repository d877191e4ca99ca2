package debug

import (
	"errors"
	"fmt"
	"maps"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles"
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
	GraceS float64      `json:"grace_s"` // sshd's LoginGraceTime
	LimitS float64      `json:"limit_s"` // what a local user's login may take until authentication, and from then to a shell
	Over   []LoginOver  `json:"over"`
	Cases  []roles.Case `json:"cases"`
	Notes  []string     `json:"notes"`

	excess []roles.Excess
}

// LoginOver is a part of a login that takes longer than it may.
type LoginOver struct {
	User    roles.Who     `json:"user"`
	Name    string        `json:"name"`
	Servers roles.Servers `json:"servers"`
	When    roles.When    `json:"when"`
	TakesS  roles.Bound   `json:"takes_s"`
	LimitS  float64       `json:"limit_s"`
}

// LoginAsked is whose logins are worked out: "" is the profile's break-glass
// account, and the local user who has it worst.
type LoginAsked struct{ BreakGlass, Local string }

// Logins works out how long logins may take, from what was read of a machine
// and what was decided for it; err is why it was not.
func Logins(l facts.Login, w agent.Wanted, err error, asked LoginAsked) LoginReport {
	if d := w.Profile.Directory; err == nil && d != nil && asked.BreakGlass == "" {
		asked.BreakGlass = d.BreakGlass
	}
	r := LoginReport{BreakGlass: asked.BreakGlass, Now: judge(l, asked)}
	if err == nil {
		// Anew, and not w.Plan: under another root that lacks the units.
		var p plan.Plan
		if p, err = roles.Plan(w.Facts, w.Profile); err == nil {
			after := judge(afterPass(l, p), asked)
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
	b := roles.LoginBudget(roles.Login{
		Files: l.Files, Sshd: l.Sshd, Mounts: l.Mounts, Running: roles.Running(l.Running),
		BreakGlass: asked.BreakGlass, Local: asked.Local,
	})
	v := LoginView{
		GraceS: b.Grace.Seconds(), LimitS: b.DefaultLimit().Seconds(), Over: []LoginOver{}, Cases: b.Cases,
		Notes: append(append([]string{}, l.Notes...), b.Notes...), excess: b.Over(0, 0),
	}
	for _, e := range v.excess {
		v.Over = append(v.Over, LoginOver{e.Case.User, e.Case.Name, e.Case.Servers, e.When, e.Takes, e.Limit.Seconds()})
	}
	return v
}

// afterPass lays what a plan would write over what is there. A client that the
// plan starts counts as running; one that it would only restart runs already.
func afterPass(l facts.Login, p plan.Plan) facts.Login {
	l.Files, l.Notes = maps.Clone(l.Files), append([]string{}, l.Notes...)
	for _, s := range p {
		switch r := s.Resource.(type) {
		case resource.File:
			if err := write(l.Files, r); err != nil {
				l.Notes = append(l.Notes, fmt.Sprintf("%s: what a pass would make of it is not known: %v", r.Path, err))
			}
		case resource.Original:
			if _, there := l.Files[r.Path]; there {
				l.Notes = append(l.Notes, r.Path+": a pass puts the image's own back, which is not counted")
			}
		case resource.Unit:
			l.Running.Nslcd = l.Running.Nslcd || r.Start && r.Name == "nslcd.service"
			l.Running.SSSD = l.Running.SSSD || r.Start && r.Name == "sssd.service"
		}
	}
	return l
}

func write(files map[string]string, f resource.File) error {
	if f.Edit == nil {
		files[f.Path] = string(f.Content)
		return nil
	}
	text, err := f.Edit.Apply([]byte(files[f.Path]))
	if err == nil {
		files[f.Path] = string(text)
	}
	return err
}
