package report

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/coordinator/api"
	"reveille/roles/logins"
)

// AddBreakGlass enters what stands against the account that must always get
// in. Where it is not proven to, a note says so: the state stays, as it is the
// image's to mend, and nobody should have to look for it.
func AddBreakGlass(r *api.Report, user string, found []facts.Finding) {
	g := &api.BreakGlass{User: user, Proven: logins.Proven(found), Findings: []api.Finding{}}
	var codes []string
	for _, f := range found {
		g.Findings = append(g.Findings, api.Finding{Code: f.Code, Severity: string(f.Severity), Title: f.Title, Remedy: f.Remedy})
		if f.Severity != facts.Info && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	r.BreakGlass = g
	if !g.Proven {
		r.Notes = append(r.Notes, fmt.Sprintf("NOT PROVEN: that the break-glass account %s gets in, and becomes root, with every server dead or silent: %s; `reveille debug doctor` says what to do about each",
			user, strings.Join(codes, ", ")))
	}
}
