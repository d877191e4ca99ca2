package fakeimds

import (
	"slices"
	"strings"
)

// tree holds values by their full path; folders are what their names imply.
type tree map[string]string

// get returns the value of a leaf, or the listing of a folder: one name a
// line, folders with a slash, no newline at the end.
func (t tree) get(path string) (string, bool) {
	if v, ok := t[path]; ok {
		return v, true
	}
	names := t.list(strings.TrimSuffix(path, "/") + "/")
	return strings.Join(names, "\n"), len(names) > 0
}

func (t tree) list(dir string) []string {
	if dir == "/" {
		dir = ""
	}
	var names []string
	for path := range t {
		rest, ok := strings.CutPrefix(path, dir)
		if !ok {
			continue
		}
		name, _, folder := strings.Cut(rest, "/")
		if folder {
			name += "/"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
