package roles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// allThere holds the volumes that are known to how many there must be. A volume
// that is not attached says nothing: the others say of it, each, that there is
// one more.
func (p *Profile) allThere(f facts.Facts, all []*layout) (HeldBack, bool) {
	h := HeldBack{ID: "layout:all"}
	if len(all) == 0 {
		h.Why = unlaid(f)
		return h, false
	}
	var volumes, by []string
	said := &layout{said: map[string][]saying{}}
	alone := false
	for _, l := range all {
		volumes = append(volumes, l.members...)
		alone = alone || !l.has("array") && !l.has("lvm")
		for _, s := range l.said["total"] {
			for _, id := range s.by {
				said.say(id, "total", s.value)
				by = append(by, id)
			}
		}
	}
	totals := said.said["total"]
	switch slices.Sort(volumes); {
	case len(totals) == 0 && alone:
		p.Notes = append(p.Notes, "no tag "+tagPrefix+"total says how many volumes are laid out by tags: one that is not attached would be missed by nobody")
		return h, true
	case len(totals) == 0:
		return h, true
	case len(totals) > 1:
		h.Why = differ("total", totals)
	default:
		h.Why = notTotal(totals[0].value, volumes)
	}
	slices.Sort(by)
	h.By = taggedBy(by)
	return h, h.Why == ""
}

// differ says of two values that they are.
func differ(key string, said []saying) string {
	return fmt.Sprintf("%s%s is %s on %s and %s on %s: give them one value", tagPrefix, key, cite.Quote(said[0].value), said[0].by[0], cite.Quote(said[1].value), said[1].by[0])
}

// notTotal says that there are more or fewer volumes; "" where there are as many.
func notTotal(total string, volumes []string) string {
	if err := wholeNumber(1, mostDisks, "").check(total); err != nil {
		return fmt.Sprintf("%stotal: %v", tagPrefix, err)
	}
	if n, _ := strconv.Atoi(total); n != len(volumes) {
		return fmt.Sprintf("by %stotal %s volumes are laid out by tags, and %d are attached: %s; attach or tag the others, or correct the tag", tagPrefix, total, len(volumes), strings.Join(volumes, ", "))
	}
	return ""
}

// unlaid says why no layout is known where there must be one.
func unlaid(f facts.Facts) string {
	if r, detail := f.Volumes.Why(); !f.Volumes.IsKnown() && r != "" {
		if detail != "" {
			detail = ": " + detail
		}
		return fmt.Sprintf("the tags of the volumes are unknown (%s%s): the instance's role needs the permission %s, and a way to EC2", r, detail, facts.VolumesPath)
	}
	return "no volume that is attached has a tag " + tagPrefix + "array, lvm, mount or swap: attach those that have, or tag them"
}
