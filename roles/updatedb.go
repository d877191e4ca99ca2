package roles

import (
	"slices"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// Updatedb is what locate's nightly walk over all files leaves out.
type Updatedb struct {
	Filesystems []string // kinds of file systems, as the kernel calls them
	Paths       []string
	Asked       string // where the section is, which may be empty
}

const updatedbPath = "/etc/updatedb.conf"

// planUpdatedb asks for words in the lists of updatedb.conf, which plocate and
// mlocate share. A walk over a file server is slow for all of a fleet at once,
// and hangs where the server is dead. Where there is no such file there is
// nothing to edit: the package that brings it would stop at one of ours.
func planUpdatedb(_ facts.Facts, p Profile) (plan.Plan, error) {
	if p.Updatedb == nil {
		return nil, nil
	}
	paths, why := p.Updatedb.Paths, p.whySection("updatedb", p.Updatedb.Asked)
	if p.Autofs != nil && !slices.Contains(paths, p.Autofs.Path) {
		paths = append(slices.Clone(paths), p.Autofs.Path)
		why += "; " + p.Autofs.Path + " by " + p.Why("autofs.path")
	}
	edit := resource.Words{Lists: []resource.WordList{
		{Name: "PRUNEFS", Words: p.Updatedb.Filesystems, Fold: true},
		{Name: "PRUNEPATHS", Words: paths},
	}}
	return plan.Plan{{
		Resource: resource.File{Path: updatedbPath, Edit: edit, Concern: "updatedb"},
		Concern:  "updatedb", Why: why + "; what is in the lists stays there",
	}}, nil
}

// networkFilesystems are what is left out by default: whatever has its files
// on another machine, and autofs, under which that is mounted.
func networkFilesystems() []string { return append(slices.Clone(logins.NetworkFilesystems), "autofs") }
