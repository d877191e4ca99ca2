package roles

import (
	"slices"
	"strings"
	"time"
)

// Lowered is a profile with one of its keys at the default.
type Lowered struct {
	Key     string
	Profile Profile
}

// loginKeys are the keys that a login's time turns on, at their defaults.
var loginKeys = []struct {
	key   string
	lower func(*Profile)
}{
	{"directory.timelimit", func(p *Profile) { p.Directory.TimeLimit = 5 * time.Second }},
	{"directory.bind_timelimit", func(p *Profile) { p.Directory.BindTimeLimit = 2 * time.Second }},
	{"resolver.timeout", func(p *Profile) { p.Resolver.Timeout = time.Second }},
	{"resolver.attempts", func(p *Profile) { p.Resolver.Attempts = 1 }},
	{"login_budget", func(p *Profile) { p.LoginBudget = 0 }},
}

// Lowered is the profile once for each of those keys that a layer sets, with
// that one at its default: whichever of them ends a login's excess is to blame.
func (p Profile) Lowered() []Lowered {
	var out []Lowered
	for _, k := range loginKeys {
		set := func(s Setting) bool { return s.Key == k.key && !s.Over && !s.Null && s.Layer != Defaults }
		section, _, _ := strings.Cut(k.key, ".")
		gone := section == "directory" && p.Directory == nil || section == "resolver" && p.Resolver == nil
		if gone || !slices.ContainsFunc(p.Settings, set) {
			continue
		}
		l := Lowered{k.key, p}
		if p.Directory != nil {
			d := *p.Directory
			l.Profile.Directory = &d
		}
		if p.Resolver != nil {
			r := *p.Resolver
			l.Profile.Resolver = &r
		}
		k.lower(&l.Profile)
		out = append(out, l)
	}
	return out
}

// Least is the profile with one server of each kind and every limit of a login
// at its default: as short as it can be made.
func (p Profile) Least() Profile {
	if p.Directory != nil {
		d := *p.Directory
		d.URIs = d.URIs[:min(1, len(d.URIs))]
		d.BindTimeLimit, d.TimeLimit = min(d.BindTimeLimit, 2*time.Second), min(d.TimeLimit, 5*time.Second)
		p.Directory = &d
	}
	if p.Resolver != nil {
		r := *p.Resolver
		r.Timeout, r.Attempts = time.Second, 1
		p.Resolver = &r
	}
	return p
}
