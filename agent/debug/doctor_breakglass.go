package debug

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/budget"
)

// breakGlassAccount finds what keeps the account that must always get in from
// being one that can: whoever it is, the machine itself has to know it.
func breakGlassAccount(p Patient) []facts.Finding {
	d := p.Wanted.Profile.Directory
	if p.Login == nil || p.Err != nil || d == nil || d.BreakGlass == "" {
		return nil
	}
	who := fmt.Sprintf("The break-glass account %s (%s)", d.BreakGlass, p.Wanted.Profile.Why("directory.break_glass"))
	entry := accountOf(p.Login.Files["/etc/passwd"], d.BreakGlass)
	if entry == nil {
		return found("break-glass-missing", facts.Error, who+" is not in /etc/passwd: with the directory dead nobody gets in by it.",
			"Create it on the image, `useradd -m -s /bin/bash "+d.BreakGlass+"`, with an authorized key; or name one that is there.")
	}
	var all []facts.Finding
	if shell := entry[6]; strings.HasSuffix(shell, "/nologin") || strings.HasSuffix(shell, "/false") {
		all = append(all, found("break-glass-shell", facts.Error, who+" has the shell "+shell+", which lets nobody in.",
			"`usermod -s /bin/bash "+d.BreakGlass+"`.")...)
	}
	if p.Logins == nil {
		return all
	}
	dead := budget.Budget{Cases: p.Logins.Now.Cases}.Case(budget.BreakGlassUser, budget.AllDown)
	if i := slices.IndexFunc(dead.Terms, func(t budget.Term) bool { return t.Of == budget.OfHome }); i >= 0 {
		t := dead.Terms[i]
		all = append(all, found("break-glass-home", facts.Error, who+" waits for a file server: "+t.What+", by "+t.At()+".", t.Remedy+".")...)
	}
	return all
}

// accountOf is a user's seven fields; nil where there is no such line.
func accountOf(passwd, name string) []string {
	for line := range strings.Lines(passwd) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 7 && f[0] == name {
			return f
		}
	}
	return nil
}
