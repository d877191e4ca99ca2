package debug

import (
	"fmt"

	"reveille/bootstrap/facts"
	"reveille/roles/logins"
)

// directoryLoop finds a directory whose server has a name that the machine
// would look for in the directory.
func directoryLoop(p Patient) []facts.Finding {
	if p.Login == nil {
		return nil
	}
	var all []facts.Finding
	for _, l := range logins.DirectoryLoops(logins.Login{Files: p.Login.Files, Running: logins.Running(p.Login.Running)}) {
		severity, when := facts.Error, "in the directory itself"
		if l.Later {
			severity, when = facts.Warning, "in the directory itself where DNS does not know it or is silent"
		}
		all = append(all, found("directory-loop", severity,
			fmt.Sprintf("The directory's server %s (%s) is looked for, by the line hosts (%s), %s.", l.Server, l.At, l.Hosts, when),
			"Put its name into /etc/hosts, or its address in the place of its name (directory.uris; with ldaps its certificate has to hold the address); or take ldap out of the line hosts.")...)
	}
	return all
}
