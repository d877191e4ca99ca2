package roles

import (
	"maps"
	"slices"
	"strings"
)

// placedEntry is a server and the list that it comes from: a zone's, a
// region's or the default.
type placedEntry struct{ entry, at string }

// nearest flattens lists by place: the zone's, the region's, those of the
// region's other zones, then the default, each entry once. Lists of other
// regions are left out: a VPC's resolver answers nobody outside of it, so what
// is to be asked from everywhere is what the default is for.
func nearest(byPlace map[string][]string, zone, region string) []placedEntry {
	order := []string{zone, region}
	for _, at := range slices.Sorted(maps.Keys(byPlace)) {
		if at != zone && isZoneOf(at, region) {
			order = append(order, at)
		}
	}
	var out []placedEntry
	for _, at := range append(order, "default") {
		for _, entry := range byPlace[at] {
			if !slices.ContainsFunc(out, func(e placedEntry) bool { return e.entry == entry }) {
				out = append(out, placedEntry{entry, at})
			}
		}
	}
	return out
}

// isZoneOf says whether a place is a zone of a region: us-east-1a, or the local
// zone us-east-1-bos-1a.
func isZoneOf(at, region string) bool {
	rest, ok := strings.CutPrefix(at, region)
	return ok && region != "" && rest != "" && (rest[0] < '0' || rest[0] > '9')
}

// chosen is as many as may be kept, 0 for all, the nearest first. Where those
// would all be of one zone, the last gives way to the nearest that is not: a
// zone goes as a whole. spread says that it was so.
func chosen(all []placedEntry, region string, most int) (kept, left []string, spread bool) {
	if most > 0 && len(all) > most {
		one := all[0].at
		elsewhere := slices.IndexFunc(all, func(e placedEntry) bool { return e.at != one })
		if isZoneOf(one, region) && elsewhere >= most {
			all = slices.Clone(all)
			far := all[elsewhere]
			all = slices.Insert(slices.Delete(all, elsewhere, elsewhere+1), most-1, far)
			spread = true
		}
	}
	for i, e := range all {
		if most == 0 || i < most {
			kept = append(kept, e.entry)
		} else {
			left = append(left, e.entry)
		}
	}
	return kept, left, spread
}
