package roles

import (
	"slices"
	"sort"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// Validate checks documents without a machine: each by itself, and all role
// files together. It returns every mistake, by file and line; none is nil.
//
// A role file must be whole with the local file, where one is among the
// sources: what only user-data would add is missing here.
func Validate(sources []Source) []*Error {
	var d documents
	d.readSources(sources)
	errs := slices.Concat(d.errs, sharedNames(d.roles), certainTies(d.roles))
	for _, r := range d.roles {
		if brokenFile(d.errs, r.file) {
			// What is missing may stand where the mistake is. A name that
			// nothing knows is told all the same, unless vars are the mistake.
			if !d.varsBroken(r.file) {
				more, _ := mergeLayers(r.leaves, d.local).fillAll(sampleFacts())
				errs = append(errs, more...)
			}
			continue
		}
		_, more, _ := buildProfile(mergeLayers(r.leaves, d.local), sampleFacts(), true)
		errs = append(errs, more...)
	}
	if l, ok := find(d.local, "role"); ok && len(d.roles) > 0 && len(d.errs) == 0 {
		if _, err := (&resolution{documents: d}).named(l); err != nil {
			errs = append(errs, err.(Errors)...)
		}
	}
	return errs.sorted()
}

// Fleet is every role file's profile by itself, by role: without user-data,
// tags and local file, which belong to one machine. It is what a collector of
// all roles is made from. Values that need to know a machine stay as written;
// in the ganglia section, which a collector reads, that is an error.
func Fleet(sources []Source) ([]Profile, error) {
	var d documents
	d.readSources(slices.DeleteFunc(slices.Clone(sources), func(s Source) bool { return s.Layer != RoleFile }))
	errs := append(slices.Clone(d.errs), sharedNames(d.roles)...)
	var out []Profile
	for _, r := range d.roles {
		if brokenFile(d.errs, r.file) {
			continue
		}
		m := mergeLayers(r.leaves)
		p, more, unknown := buildProfile(m, facts.Facts{}, true)
		errs = append(errs, more...)
		for _, u := range unknown {
			if under(u.key, "ganglia") {
				errs = append(errs, errorAt(m.live[u.key].at, "%s differs from machine to machine (%s), so that no collector can be made for it: write it out", u.key, u.What))
			}
		}
		p.Role, p.RoleFile, p.Chosen = r.role, r.file, "its own role file"
		out = append(out, p)
	}
	if len(errs) > 0 {
		return nil, errs.sorted()
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Role < out[j].Role }) // slices' own is compiled anew for each type: 20 KiB of the agent
	return out, nil
}

// varsBroken says whether a mistake in this file has to do with vars: each
// names its key, and of a misspelt one the nearest.
func (d *documents) varsBroken(file string) bool {
	return slices.ContainsFunc(d.errs, func(e *Error) bool { return e.File == file && strings.Contains(e.Message, "vars") })
}

func brokenFile(errs Errors, file string) bool {
	return slices.ContainsFunc(errs, func(e *Error) bool { return e.File == file })
}

// sampleFacts stand in for a machine where there is none.
func sampleFacts() facts.Facts {
	return facts.Facts{Instance: facts.Instance{
		ID: facts.Known("i-0123456789abcdef0"), Region: facts.Known("us-east-1"), Zone: facts.Known("us-east-1a"),
		PrivateIP: facts.Known("10.0.0.10"), Hostname: facts.Known("ip-10-0-0-10.ec2.internal"),
	}}
}

// sharedNames refuses what two role files may not both claim: one role, one
// Ganglia port for two clusters, two ports for one cluster.
func sharedNames(all []*roleDoc) Errors {
	var errs Errors
	roles, ports, clusters := map[string]*roleDoc{}, map[string]gangliaClaim{}, map[string]gangliaClaim{}
	for _, r := range all {
		if first, twice := roles[r.role]; twice {
			errs = append(errs, errorAt(r.at, "the role %s is in two files: here and at %s; give one of them another name", r.role, first.at))
		} else {
			roles[r.role] = r
		}
		c, ok := gangliaOf(r)
		if !ok {
			continue
		}
		if first, taken := ports[c.port]; taken && first.cluster != c.cluster {
			errs = append(errs, errorAt(c.portAt, "port %s is used for two clusters: %s here and %s at %s; give one of them another port", c.port, c.cluster, first.cluster, first.portAt))
		} else if !taken {
			ports[c.port] = c
		}
		if first, taken := clusters[c.cluster]; taken && first.port != c.port {
			errs = append(errs, errorAt(c.portAt, "the cluster %s has two ports: %s here and %s at %s; a host would be in half of it", c.cluster, c.port, first.port, first.portAt))
		} else if !taken {
			clusters[c.cluster] = c
		}
	}
	return errs
}

type gangliaClaim struct {
	cluster, port string
	portAt        cite.Place
}

// gangliaOf is the cluster and port that a role file claims, by itself.
func gangliaOf(r *roleDoc) (gangliaClaim, bool) {
	m := mergeLayers(r.leaves)
	m.fillAll(sampleFacts()) // its mistakes are told where the file is read whole
	c, hasName := m.live["ganglia.cluster"]
	p, hasPort := m.live["ganglia.port"]
	return gangliaClaim{c.value.text, p.value.text, p.at}, hasName && hasPort
}

// certainTies finds role files that would match the very same machines.
func certainTies(all []*roleDoc) Errors {
	var errs Errors
	for i, r := range all {
		for _, first := range all[:i] {
			if sameMatch(first, r) {
				errs = append(errs, errorAt(r.match[0].at, "the match of %s and that of %s are the same: no machine could choose between them; give one of them another key", r.file, first.match[0].at))
				break
			}
		}
	}
	return errs
}
