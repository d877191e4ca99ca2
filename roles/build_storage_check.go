package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/roles/cite"
)

// storageCheck holds the parts of a profile's storage to each other.
type storageCheck struct {
	*builder
	s    *Storage
	used map[Ref]cite.Place // what something lies on already, and where that is said
}

func (c *storageCheck) refuse(at cite.Place, format string, args ...any) {
	c.errs = append(c.errs, errorAt(at, format, args...))
}

// use says that something lies on r. Two things on one device would overwrite
// each other.
func (c *storageCheck) use(at cite.Place, what string, r Ref) bool {
	if known := c.known(r.Kind); !slices.Contains(known, r.Name) {
		say := fmt.Sprintf("%s names %s, and there is no such thing below storage", what, cite.Quote(r.String()))
		hint := meant(r.Name, known)
		if hint == "" && len(known) > 0 {
			hint = "; there are " + strings.Join(known, ", ")
		}
		c.refuse(at, "%s%s", say, hint)
		return false
	}
	if first, twice := c.used[r]; twice {
		c.refuse(at, "%s uses %s, which is used already at %s: one device holds one thing", what, r, first)
		return false
	}
	c.used[r] = at
	return true
}

// known are the names of a kind.
func (c *storageCheck) known(kind string) []string {
	var out []string
	switch kind {
	case "volumes":
		for _, v := range c.s.Volumes {
			out = append(out, v.Name)
		}
	case "raid":
		for _, a := range c.s.Arrays {
			out = append(out, a.Name)
		}
	default:
		for _, g := range c.s.Groups {
			for _, v := range g.Volumes {
				out = append(out, g.Name+"/"+v.Name)
			}
		}
	}
	return out
}

// volumes holds that no volume is listed in two sets.
func (c *storageCheck) volumes() {
	type claim struct {
		set string
		at  cite.Place
	}
	first := map[string]claim{}
	for _, v := range c.s.Volumes {
		for _, key := range []string{"ids", "devices"} {
			path := "storage.volumes." + v.Name + "." + key
			for _, it := range c.m.live[path].value.items {
				name := it.text
				if key == "devices" {
					name = attachment(name)
				}
				if f, listed := first[name]; listed && f.set != v.Name {
					c.refuse(it.at, "%s lists %s, which volumes/%s does already at %s: take it out of one of them", path, cite.Quote(it.text), f.set, f.at)
				} else if !listed {
					first[name] = claim{v.Name, it.at}
				}
			}
		}
	}
}

// stores holds that at most one set is instance store: each would take all of it.
func (c *storageCheck) stores() {
	first := ""
	for _, v := range c.s.Volumes {
		switch at := "storage.volumes." + v.Name + ".instance_store"; {
		case v.Store && first != "":
			c.fail(at, fmt.Sprintf("takes all of the instance's own disks, and volumes/%s does already: put an array or a group over one set", first))
		case v.Store:
			first = v.Name
		}
	}
}

// scratch says whether a device is instance store, or lies on it.
func (c *storageCheck) scratch(r Ref) bool {
	if r.Kind == "raid" {
		i := slices.IndexFunc(c.s.Arrays, func(a Array) bool { return a.Name == r.Name })
		return i >= 0 && c.scratch(Ref{"volumes", c.s.Arrays[i].Of})
	}
	return slices.ContainsFunc(c.s.Volumes, func(v VolumeSet) bool { return v.Name == r.Name && v.Store })
}

// count is how many volumes a set has.
func (c *storageCheck) count(set string) int {
	i := slices.IndexFunc(c.s.Volumes, func(v VolumeSet) bool { return v.Name == set })
	return c.s.Volumes[i].Count
}

// leastMembers is how many devices an array of a level needs.
var leastMembers = map[int]int{0: 2, 1: 2, 5: 3, 6: 4, 10: 2}

func (c *storageCheck) arrays() {
	for _, a := range c.s.Arrays {
		at := "storage.raid." + a.Name
		if c.use(c.m.live[at+".of"].at, at+".of", Ref{"volumes", a.Of}) {
			if n, least := c.count(a.Of), leastMembers[a.Level]; n < least {
				c.fail(at+".level", fmt.Sprintf("is %d, which takes %d volumes or more: volumes/%s has %d", a.Level, least, a.Of, n))
			}
		}
		if a.Chunk > 0 && a.Level == 1 {
			c.fail(at+".chunk", "means nothing to level 1, which has no chunks: take it out")
		}
		if a.Bitmap == "internal" && a.Level == 0 {
			c.fail(at+".bitmap", "means nothing to level 0, which has no copies to keep equal: take it out")
		}
	}
}

func (c *storageCheck) groups() {
	for _, g := range c.s.Groups {
		at := "storage.lvm." + g.Name
		devices := 0
		for i, r := range g.Of {
			switch {
			case !c.use(c.m.live[at+".of"].value.items[i].at, at+".of", r):
				devices += 64 // told already
			case r.Kind == "volumes":
				devices += c.count(r.Name)
			default:
				devices++
			}
		}
		c.unmixed(at, g)
		if len(g.Volumes) == 0 {
			c.refuse(c.m.open[at], "%s.volumes is missing: without a logical volume nothing can lie in the group", at)
		}
		percent := 0
		for _, v := range g.Volumes {
			key := at + ".volumes." + v.Name
			if percent += v.Percent; percent > 100 {
				c.fail(key+".size", fmt.Sprintf("brings the volumes of the group to %d%% of it, and there are 100%%", percent))
				percent = 0
			}
			if v.Stripes > devices {
				c.fail(key+".stripes", fmt.Sprintf("is %d, and the group has only %d devices to stripe over", v.Stripes, devices))
			}
			if why := reservedByLVM(v.Name); why != "" {
				c.fail(key+".size", "is of a name that LVM keeps for itself ("+why+"): choose another")
			}
		}
	}
}

// unmixed refuses a group on EBS and on instance store: it would lose the data of
// both when the instance is stopped.
func (c *storageCheck) unmixed(at string, g Group) {
	for i, r := range g.Of {
		if c.scratch(r) != c.scratch(g.Of[0]) {
			c.refuse(c.m.live[at+".of"].value.items[i].at, "%s.of has EBS volumes and instance store, %s and %s: when the instance is stopped, the data on both would be lost; make a group of each", at, g.Of[0], r)
			return
		}
	}
}

// reservedByLVM is the part of a name that LVM takes for its own, or "".
func reservedByLVM(name string) string {
	for _, word := range []string{"snapshot", "pvmove"} {
		if strings.HasPrefix(name, word) {
			return word
		}
	}
	for _, part := range []string{"_cdata", "_cmeta", "_corig", "_cvol", "_imeta", "_iorig", "_mimage", "_mlog", "_pmspare", "_rimage", "_rmeta",
		"_tdata", "_tmeta", "_vdata", "_vorigin", "_wcorig"} {
		if strings.Contains(name, part) {
			return part
		}
	}
	return ""
}

func (c *storageCheck) mounts(p *Profile) {
	first := map[string]cite.Place{}
	for i, it := range c.m.live["storage.mounts"].value.items {
		m := c.s.Mounts[i]
		at := func(name string) cite.Place { return it.fieldAt(name) }
		if place, twice := first[m.Path]; twice {
			c.refuse(at("path"), "storage.mounts.path: %s is mounted twice, first at %s: take one out", m.Path, place)
		}
		first[m.Path] = at("path")
		c.one(at("from"), "storage.mounts.from", "a file system", m.From)
		if m.Type == "xfs" && len(m.Label) > 12 {
			c.refuse(at("label"), "storage.mounts.label: %s has %d characters, and xfs takes 12", cite.Quote(m.Label), len(m.Label))
		}
		for _, word := range m.Mkfs {
			if mkfsRefused[m.Type][word] {
				c.refuse(at("mkfs"), "storage.mounts.mkfs: %s is not taken for %s: it forces, makes nothing, or makes another file system than is asked for", word, m.Type)
			}
		}
		if why := mountOver(m.Path, p); why != "" {
			c.refuse(at("path"), "storage.mounts.path: %s cannot be mounted on: %s", m.Path, why)
		}
	}
}

func (c *storageCheck) swaps() {
	for i, it := range c.m.live["storage.swap"].value.items {
		c.one(it.fieldAt("from"), "storage.swap.from", "swap", c.s.Swaps[i].From)
	}
}

// one notes what something lies on, which must be one device.
func (c *storageCheck) one(at cite.Place, key, what string, r Ref) {
	if c.use(at, key, r) && r.Kind == "volumes" && c.count(r.Name) != 1 {
		c.refuse(at, "%s: volumes/%s has %d volumes, and %s lies on one: put an array or a group between", key, r.Name, c.count(r.Name), what)
	}
}

// mkfsRefused are options that no role may give, by the file system's mkfs.
var mkfsRefused = map[string]map[string]bool{
	"xfs":  {"-N": true, "-V": true, "-p": true, "-c": true},
	"ext4": {"-n": true, "-S": true, "-V": true, "-t": true, "-d": true, "-u": true, "-o": true, "-M": true},
}

// mountOver says what of the profile's own a mount would hide, or be hidden by.
func mountOver(path string, p *Profile) string {
	user := p.breakGlass()
	switch home := "/home/" + user; {
	case user != "" && path == home:
		return home + " is the home of the break-glass account " + user
	case p.Autofs != nil && (below(path, p.Autofs.Path) || below(p.Autofs.Path, path)):
		return "autofs has " + p.Autofs.Path
	}
	return ""
}
