package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// Resolve decides what this machine should be: it chooses the role, lays the
// layers over each other, fills in names and checks what came out.
//
// The error is of type Errors where documents are wrong (all mistakes at
// once, each with its place). It is one or more *UnknownFact, joined, where a
// fact that the decision needs could not be read: then the pass has failed,
// the documents may be good, and a later pass may know.
func Resolve(f facts.Facts, sources []Source) (Profile, error) {
	r := resolution{facts: f}
	r.readSources(sources)
	r.readUserData(f.UserData)
	r.errs = append(r.errs, sharedNames(r.roles)...)
	if len(r.errs) > 0 {
		return Profile{}, r.errs.sorted()
	}
	if err := unread(f); err != nil {
		return Profile{}, err
	}
	role, chosen, err := r.choose()
	if err != nil {
		return Profile{}, err
	}
	tags, notes, errs := r.tags(role)
	m := r.merge(role, tags)
	p, more, unknown := buildProfile(m, f, false)
	if errs = append(errs, more...); len(errs) > 0 {
		return Profile{}, errs.sorted()
	}
	if len(unknown) > 0 {
		return Profile{}, joinUnknown(unknown)
	}
	p.Chosen, p.Notes = chosen, slices.Concat(notes, nearMisses(f.UserData), p.Notes)
	if role != nil {
		p.Role, p.RoleFile = role.role, role.file
	}
	p.layOut(f)
	return p, nil
}

// unread tells what must be known before anything can be decided. A user-data
// or a tag that could not be read may name another role.
func unread(f facts.Facts) error {
	var all []*UnknownFact
	if u := f.UserData.State; !u.IsKnown() && !u.IsAbsent() {
		all = append(all, unknownFact("user-data", "", u))
	}
	if t := f.Instance.Tags; !t.IsKnown() && !t.IsAbsent() {
		all = append(all, unknownFact("instance tags", "", t))
	}
	return joinUnknown(all)
}

// resolution is one run of Resolve.
type resolution struct {
	documents
	facts facts.Facts
}

// tags is the tags' layer as it is if the machine takes a role. The local
// file says what tags may set; role file, user-data or local file say which
// tag may name the host.
func (r *resolution) tags(role *roleDoc) ([]leaf, []string, Errors) {
	var may []string
	if l, ok := find(r.local, "tags_may_set"); ok {
		for _, it := range l.value.items {
			may = append(may, it.text)
		}
	}
	hostnameTag := ""
	if l, ok := r.merge(role, nil).live["identity.hostname_tag"]; ok {
		hostnameTag = l.value.text
	}
	return tagLayer(r.facts.Instance.Tags.Or(nil), hostnameTag, may)
}

// merge lays all layers over each other as if the machine took a role.
func (r *resolution) merge(role *roleDoc, tags []leaf) *layered {
	var own []leaf
	if role != nil {
		own = role.leaves
	}
	return mergeLayers(own, tags, r.userData, r.local)
}

// choose finds the role file: the one that a layer names, else the one whose
// match is best. nil: the machine takes no role.
func (r *resolution) choose() (*roleDoc, string, error) {
	tags, _, _ := r.tags(nil)
	for _, layer := range [][]leaf{r.local, r.userData, tags} {
		if l, ok := find(layer, "role"); ok {
			role, err := r.named(l)
			return role, origin(l.layer, l.at.File, l.at.Line) + " names it", err
		}
	}
	var all []matched
	for _, role := range r.roles {
		all = append(all, matchRole(role, r.facts, r.nameAs))
	}
	best, err := chooseMatch(all)
	switch {
	case err != nil:
		return nil, "", err
	case best != nil:
		return best.role, "it matches " + strings.Join(best.because, ", "), nil
	}
	if l, ok := find(r.local, "role_required"); ok && l.value.text == "true" {
		return nil, "", Errors{errorAt(l.at, "a role is required, but no layer names one and none of these matches this machine: %s; name it in user-data (role=NAME), or give one of them a match", r.files())}
	}
	return nil, "no layer names a role, and no role file matches", nil
}

// named finds the file of a role that a layer names.
func (r *resolution) named(l leaf) (*roleDoc, error) {
	var known []string
	for _, role := range r.roles {
		if role.role == l.value.text {
			return role, nil
		}
		known = append(known, role.role)
	}
	slices.Sort(known)
	there := "there are " + strings.Join(known, ", ")
	if len(known) == 0 {
		there = "no role file was found at all"
	}
	return nil, Errors{errorAt(l.at, "no role file has the role %s%s; %s", cite.Quote(l.value.text), meant(l.value.text, known), there)}
}

// files lists the role files that were looked at.
func (r *resolution) files() string {
	var names []string
	for _, role := range r.roles {
		names = append(names, role.file)
	}
	if len(names) == 0 {
		return "no role file at all"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// nameAs is the host's name, for a match, as it would be under a role: what
// local file, user-data or tags say, else IMDS. What the role file itself
// says does not count, or every role would match itself.
func (r *resolution) nameAs(role *roleDoc) (facts.Fact[string], *Error) {
	tags, _, _ := r.tags(role)
	m := r.merge(&roleDoc{leaves: slices.DeleteFunc(slices.Clone(role.leaves), func(l leaf) bool { return l.path == hostnameKey })}, tags)
	if _, ok := m.live[hostnameKey]; !ok {
		return r.facts.Instance.Hostname, nil
	}
	w := filler{m: m, names: &namesOf{facts: r.facts}}
	w.fillNames()
	if len(w.unknown) > 0 {
		return facts.Unknown[string](w.unknown[0].Reason, w.unknown[0].Error()), nil
	}
	if len(w.errs) > 0 {
		first := *w.errs[0]
		first.Message += fmt.Sprintf("; match.hostnames of %s needs the name", role.file)
		return facts.Unknown[string](facts.Malformed, ""), &first
	}
	return facts.Known(m.live[hostnameKey].value.text), nil
}
