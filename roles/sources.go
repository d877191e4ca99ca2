package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/userdata"
	"reveille/roles/cite"
)

// roleDoc is one role file, decoded.
type roleDoc struct {
	file   string
	role   string
	at     cite.Place // of the key role
	match  []leaf     // what machines it is for; empty: only those that name it
	leaves []leaf
}

// documents are all sources of a machine that need no tags to be read.
type documents struct {
	roles    []*roleDoc
	local    []leaf
	userData []leaf
	errs     Errors
}

// readSources decodes the files of every layer.
func (d *documents) readSources(sources []Source) {
	for _, s := range sources {
		leaves, errs := decodeYAML(s.Layer, s.Name, s.Data)
		d.errs = append(d.errs, errs...)
		switch s.Layer {
		case RoleFile:
			d.readRole(s.Name, leaves, len(errs) > 0)
		case UserData:
			d.userData = append(d.userData, leaves...)
		default:
			d.local = append(d.local, leaves...)
		}
	}
}

// readRole keeps a role file. One without a name is a mistake, unless another
// mistake may have hidden the name.
func (d *documents) readRole(file string, leaves []leaf, broken bool) {
	r := &roleDoc{file: file, at: cite.Place{File: file, Line: 1, Column: 1}, leaves: leaves}
	for _, l := range leaves {
		switch {
		case l.path == "role" && !l.null:
			r.role, r.at = l.value.text, l.at
		case under(l.path, "match") && !l.open && !l.null:
			r.match = append(r.match, l)
		}
	}
	switch {
	case r.role != "":
		d.roles = append(d.roles, r)
	case !broken:
		d.errs = append(d.errs, errorAt(r.at, "role is missing: a role file names its role, such as role: mysql"))
	}
}

// readUserData decodes the parts of user-data that are ours.
func (d *documents) readUserData(u facts.UserData) {
	if u.Broken != "" {
		d.errs = append(d.errs, errorAt(cite.Place{File: "user-data"}, "it cannot be taken apart: %s", u.Broken))
	}
	var parts [][]leaf
	for _, p := range u.Parts {
		leaves, errs := decodePart(p)
		d.errs = append(d.errs, errs...)
		parts = append(parts, leaves)
	}
	d.errs = append(d.errs, differences(parts)...)
	d.userData = append(d.userData, slices.Concat(parts...)...)
}

// nearMisses are the parts that look as if they were meant for us.
func nearMisses(u facts.UserData) []string {
	var notes []string
	for _, p := range u.Parts {
		if p.Near != "" {
			notes = append(notes, partName(p)+" is passed over: "+p.Near)
		}
	}
	return notes
}

// partName is a part's name in errors and in explain.
func partName(p userdata.Part) string {
	if p.Name == "" || p.Name == "user-data" {
		return "user-data"
	}
	return "user-data " + p.Name
}

// decodePart reads one part in the form that it is written in.
func decodePart(p userdata.Part) ([]leaf, Errors) {
	name := partName(p)
	switch p.Form {
	case userdata.NotOurs:
		return nil, nil
	case userdata.KeyValue:
		return decodeKeyValue(UserData, name, p.Text)
	case userdata.YAML:
		return decodeYAML(UserData, name, []byte(p.Text))
	case userdata.CloudConfig:
		return decodeCloudConfig(name, p.Text)
	}
	return nil, Errors{errorAt(cite.Place{File: name}, "a part of the form %s is not known to this version", cite.Quote(string(p.Form)))}
}

// decodeCloudConfig reads the value of the top-level key reveille; the rest is
// cloud-init's.
func decodeCloudConfig(name, text string) ([]leaf, Errors) {
	root, errs := parseDocument(name, []byte(text))
	if len(errs) > 0 {
		return nil, errs
	}
	var ours *docNode
	for _, p := range root.pairs {
		if p.key.text != "reveille" {
			continue
		}
		if ours != nil {
			return nil, Errors{errorAt(p.key.at, "reveille is here twice: take one out")}
		}
		ours = p.value
	}
	if ours == nil || ours.shape == isNull {
		return nil, nil
	}
	return decodeTree(UserData, ours)
}

// differences refuses two parts that set one key differently: which of them
// counts would be a guess.
func differences(parts [][]leaf) Errors {
	var errs Errors
	first := map[string]leaf{} // what earlier parts say, by key
	above := map[string]leaf{} // and one key of theirs below each section
	for _, part := range parts {
		for _, l := range part {
			if e, ok := quarrel(l, first, above); ok {
				errs = append(errs, errorAt(l.at, "%s is %s here, and %s is %s at %s: two parts of user-data may not set one key differently",
					l.path, said(l), e.path, said(e), e.at))
			}
		}
		for _, l := range part {
			if _, known := first[l.path]; known || l.open {
				continue
			}
			first[l.path] = l
			for _, section := range sections(l.path) {
				above[section] = l
			}
		}
	}
	return errs
}

// quarrel finds what an earlier part says that cannot stand beside a leaf:
// another value of the key, or one value for all of its section.
func quarrel(l leaf, first, above map[string]leaf) (leaf, bool) {
	if l.open {
		return leaf{}, false
	}
	if e, ok := first[l.path]; ok {
		return e, e.null != l.null || e.value.list != l.value.list || e.value.String() != l.value.String()
	}
	if e, ok := above[l.path]; ok {
		return e, true
	}
	for _, section := range sections(l.path) {
		if e, ok := first[section]; ok {
			return e, true
		}
	}
	return leaf{}, false
}

func said(l leaf) string {
	if l.null {
		return "null"
	}
	return cite.Quote(l.value.String())
}

// find is the value that a layer's documents give a key; the last one counts.
func find(leaves []leaf, path string) (leaf, bool) {
	for _, l := range slices.Backward(leaves) {
		if l.path == path && !l.open && !l.null {
			return l, true
		}
	}
	return leaf{}, false
}

// origin is where a value comes from, in words.
func origin(layer Layer, name string, line int) string {
	at := cite.Place{File: name, Line: line}.String()
	switch layer {
	case Defaults:
		return "default"
	case RoleFile, Local:
		return fmt.Sprintf("%s %s", layer, at)
	case UserData:
		if !strings.HasPrefix(name, "user-data") {
			return "user-data " + at
		}
	}
	return at
}
