package agent

import (
	"fmt"
	"maps"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// Budget works out how long logins may take, from what was read of a machine:
// the break-glass account's, and of a local user, "" for who has it worst.
func Budget(l facts.Login, breakGlass, local string) logins.Budget {
	return logins.BudgetOf(logins.Login{
		Files: l.Files, Sshd: l.Sshd, Mounts: l.Mounts, Running: logins.Running(l.Running),
		BreakGlass: breakGlass, Local: local,
	})
}

// judged is as much of it as there is a limit for.
func judged(l facts.Login, breakGlass string) logins.Budget {
	return logins.BudgetOf(logins.Login{
		Files: l.Files, Sshd: l.Sshd, Running: logins.Running(l.Running), BreakGlass: breakGlass, Judged: true,
	})
}

// AfterPass lays what a plan would write over what is there. A client that the
// plan starts counts as running; one that it would only restart runs already.
// image says what an original holds; without it, originals are not counted.
func AfterPass(l facts.Login, p plan.Plan, image func(resource.Original) (data []byte, there bool, err error)) facts.Login {
	l.Files, l.Notes = maps.Clone(l.Files), append([]string{}, l.Notes...)
	for _, s := range p {
		switch r := s.Resource.(type) {
		case resource.File:
			if err := write(l.Files, r); err != nil {
				l.Notes = append(l.Notes, fmt.Sprintf("%s: what a pass would make of it is not known: %v", r.Path, err))
			}
		case resource.Original:
			if err := putBack(l.Files, r, image); err != nil {
				l.Notes = append(l.Notes, err.Error())
			}
		case resource.Unit:
			l.Running.Nslcd = l.Running.Nslcd || r.Start && r.Name == "nslcd.service"
			l.Running.Nscd = l.Running.Nscd || r.Start && r.Name == "nscd.service"
			l.Running.Automount = l.Running.Automount || r.Start && r.Name == "autofs.service"
			l.Running.SSSD = l.Running.SSSD || r.Start && r.Name == "sssd.service"
		case resource.PAMProfile:
			r.AfterPAM(l.Files)
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

func putBack(files map[string]string, o resource.Original, image func(resource.Original) ([]byte, bool, error)) error {
	if resource.BeforePAM(files, o.Path) {
		return nil
	}
	_, counts := files[o.Path]
	if image == nil {
		if counts {
			return fmt.Errorf("%s: a pass puts the image's own back, which is not counted", o.Path)
		}
		return nil
	}
	data, there, err := image(o)
	switch {
	case err != nil:
		return err
	case there:
		files[o.Path] = string(data)
	default:
		delete(files, o.Path)
	}
	return nil
}
