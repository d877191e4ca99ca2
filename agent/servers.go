package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/probe"
	"reveille/bootstrap/resource"
	"reveille/roles"
	"reveille/roles/logins"
)

// Answering is that one of the servers that a file names answers, whoever wrote
// the file. It asks and changes nothing, once a pass: a machine whose servers
// are dead is a machine that somebody should look at, and boots all the same.
// Its ID is "servers:" and the file.
type Answering struct {
	Path   string
	wanted Wanted
}

// askServers are the steps that ask, of what the plan configures: the servers
// of resolv.conf, those of the directory's first client, and the homes'.
func askServers(w Wanted) plan.Plan {
	var steps plan.Plan
	met := map[string]bool{}
	for _, s := range w.Plan {
		f, ok := s.Resource.(resource.File)
		if _, known := logins.ServersIn(f.Path, ""); !ok || !known || met[s.Concern] {
			continue
		}
		met[s.Concern] = true
		steps = append(steps, plan.Step{
			Resource: Answering{f.Path, w}, Concern: "servers", Needs: []string{s.ID()}, Lasting: true, Why: s.Why,
		})
	}
	return steps
}

// ID is "servers:" and the file.
func (a Answering) ID() string { return "servers:" + a.Path }

// Live is true: nobody is asked for a machine that lies in a folder.
func (Answering) Live() bool { return true }

// Describe says what is wanted, for whoever reads a plan.
func (a Answering) Describe() string { return "one of the servers in " + a.Path + " answers\n" }

// Check asks all of them side by side, within two seconds.
func (a Answering) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	servers, err := serversOnDisk(h, a.Path)
	if err != nil || len(servers) == 0 {
		return nil, err
	}
	kind := kindOf(a.Path)
	c := kind.present(a.wanted, h)
	c.New = servers
	out, err := c.Run(ctx)
	switch {
	case err != nil:
		return nil, err
	case out.Silent:
		return nil, fmt.Errorf("none of the %s in %s answers: %s; see that one does, or name others in %s", kind.name(), a.Path, out.Reasons, a.wanted.Profile.Why(kind.key()))
	}
	return nil, nil
}

// serversOnDisk is the servers that a file names, none where it is not there.
func serversOnDisk(h *host.Host, path string) ([]string, error) {
	text, err := h.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	servers, _ := logins.ServersIn(path, string(text))
	return servers, nil
}

// present asks for the machine's own domain, or for what every resolver knows.
func (n nameServers) present(w Wanted, h *host.Host) probe.Contest {
	c := probe.Contest{Questions: roles.TrialNames(w.Facts, w.Profile)[:1], Within: n.within(w)}
	c.AskNew = probe.Names(h, c.Questions)
	return c
}

// present finds the servers as nslcd and its like do: by the resolv.conf that
// is there.
func (d directoryServers) present(w Wanted, h *host.Host) probe.Contest {
	ask := probe.Directory{Host: h, CAFile: w.Profile.CACert(w.Facts), Resolver: resolverOnDisk(w, h)}
	return probe.Contest{Questions: []string{""}, AskNew: ask.Ask, Within: d.within(w)}
}

// present asks none of the folders that are mounted: whoever looks into one may
// wait for ever.
func (f fileServers) present(w Wanted, h *host.Host) probe.Contest {
	ask := probe.FileServer{Host: h, Resolver: resolverOnDisk(w, h)}
	return probe.Contest{Questions: []string{""}, AskNew: ask.Ask, Within: f.within(w)}
}

// resolverOnDisk asks the name servers of resolv.conf; nil, the machine's own
// way, where it names none.
func resolverOnDisk(w Wanted, h *host.Host) *probe.Resolver {
	names, err := serversOnDisk(h, resolvConf)
	if err != nil || len(names) == 0 {
		return nil
	}
	return &probe.Resolver{Host: h, Servers: names, Search: w.Profile.SearchList()}
}
