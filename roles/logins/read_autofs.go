package logins

import (
	"path"
	"strings"

	"reveille/roles/cite"
)

// automounts is what autofs would mount: its master map, the maps that it
// names, and how long it waits for a mount.
type automounts struct {
	points []autoPoint
	wait   numeric // mount_wait; -1 is for ever
	notes  remarks
}

// autoPoint is one line of the master map.
type autoPoint struct {
	path    string // "/home", or "/-" of a direct map
	mapName string // a path, or what another source knows: ldap:…, yp:…, "+auto.master"
	options []string
	at      cite.Place
}

// autoEntry is what a map says of one key.
type autoEntry struct {
	options []string
	nfs     bool
	many    bool // several servers, one of which is chosen
	at      cite.Place
	file    string // the map
}

// parseAutofs reads the master map with what lies in auto.master.d, and
// mount_wait, which Debian's older packages kept in /etc/default/autofs.
func parseAutofs(files map[string]string) automounts {
	a := automounts{wait: numeric{-1, cite.Place{File: autofsPath}}}
	masters := []string{autoMasterPath}
	for _, p := range sortedKeys(files) {
		if strings.HasPrefix(p, "/etc/auto.master.d/") && strings.HasSuffix(p, ".autofs") {
			masters = append(masters, p)
		}
	}
	for _, file := range masters {
		for _, l := range joinedLines(file, files[file]) {
			f := strings.Fields(l.text)
			if len(f) < 2 || !strings.HasPrefix(f[0], "/") {
				if !strings.HasPrefix(l.text, "+dir:") {
					a.notes.add(l.at, "a map of another place: what it mounts is not known")
				}
				continue
			}
			a.points = append(a.points, autoPoint{
				path: f[0], mapName: f[1], options: mapOptions(f[2:]), at: l.at,
			})
		}
	}
	ini := iniFile{}
	a.notes = append(a.notes, parseINI(autofsPath, files[autofsPath], ini)...)
	for _, section := range []string{"", "autofs"} {
		a.setWait(ini[section]["mount_wait"])
	}
	for _, l := range textLines("/etc/default/autofs", files["/etc/default/autofs"], "#") {
		if v, ok := strings.CutPrefix(l.text, "MOUNT_WAIT="); ok {
			a.setWait(wordAt{strings.Trim(v, `"'`), l.at})
		}
	}
	return a
}

func (a *automounts) setWait(w wordAt) {
	if w.s != "" && atoi(w.s) >= 0 {
		a.wait = numeric{atoi(w.s), w.at}
	}
}

// mapOptions are the mount options of a line: "-rw,soft", several, or none.
func mapOptions(words []string) []string {
	var out []string
	for _, w := range words {
		if o, ok := strings.CutPrefix(w, "-"); ok && !strings.HasPrefix(o, "-") {
			o = strings.TrimPrefix(o, "fstype=")
			out = append(out, strings.Split(o, ",")...)
		}
	}
	return out
}

// point is the automount that a path lies under.
func (a automounts) point(file string, files map[string]string) (autoPoint, bool) {
	for _, p := range a.points {
		if p.path != "/-" && below(file, p.path) {
			return p, true
		}
		if p.path == "/-" {
			for _, l := range joinedLines(mapPath(p.mapName), files[mapPath(p.mapName)]) {
				if key, _, _ := strings.Cut(l.text, " "); below(file, key) {
					return p, true
				}
			}
		}
	}
	return autoPoint{}, false
}

// homes is where people of the directory have theirs, as far as files tell: the
// first folder whose map has a file server for any name, else /home.
func (a automounts) homes(files map[string]string) string {
	for _, p := range a.points {
		if e, any := p.entry(path.Join(p.path, "*"), files); any && e.nfs && p.path != "/-" {
			return p.path
		}
	}
	return "/home"
}

// entry is what a point's map says of a path: the line of its key, or the
// wildcard's.
func (p autoPoint) entry(file string, files map[string]string) (autoEntry, bool) {
	name := mapPath(p.mapName)
	var wild autoEntry
	for _, l := range joinedLines(name, files[name]) {
		f := strings.Fields(l.text)
		if len(f) < 2 {
			continue
		}
		e := autoEntry{options: append(append([]string{}, p.options...), mapOptions(f[1:])...), at: l.at, file: name}
		e.nfs = strings.Contains(f[len(f)-1], ":") && !strings.HasPrefix(f[len(f)-1], ":")
		location, _, _ := strings.Cut(f[len(f)-1], ":/")
		e.many = strings.Contains(location, ",") || len(f) > 2 && !strings.HasPrefix(f[len(f)-2], "-")
		switch full := path.Join(p.path, f[0]); {
		case p.path == "/-" && below(file, f[0]), p.path != "/-" && below(file, full):
			return e, true
		case f[0] == "*":
			wild = e
		}
	}
	return wild, wild.file != ""
}

// mapPath is the file that a map's name stands for; "" where none does.
func mapPath(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "file:"), "file,sun:")
	if strings.Contains(name, ":") {
		return ""
	}
	if !strings.HasPrefix(name, "/") {
		return "/etc/" + name
	}
	return name
}
