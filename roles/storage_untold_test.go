package roles

import (
	"maps"
	"slices"
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/storage"
)

// Of a volume that came after EC2 was asked nobody knows whether it was made from
// a snapshot. Where EC2 could not answer, the device's own proof counts.
func TestVolumesThatEC2HasNotToldOf(t *testing.T) {
	const late = "vol-0000000c"
	asked := func(r facts.Reason) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Problems = append(f.Problems, facts.Problem{Path: facts.VolumesPath, Reason: r})
		}
	}
	notAsked := func(f *facts.Facts) { f.Volumes = facts.Fact[map[string]facts.EBSVolume]{} }
	old := func(f *facts.Facts) { f.VolumesRead = f.Now.Add(-time.Hour) }
	fresh := func(f *facts.Facts) { f.VolumesRead = f.Now }
	for name, c := range map[string]struct {
		change []func(*facts.Facts)
		want   []string
	}{
		"EC2 answered before it came":        {[]func(*facts.Facts){fresh}, []string{late}},
		"so it did, by its own clock":        {[]func(*facts.Facts){fresh, asked(facts.Unauthorized)}, []string{late}},
		"no disk was there to ask about":     {[]func(*facts.Facts){notAsked}, []string{volumeA, late}},
		"a timer, by the kept answer":        {[]func(*facts.Facts){old}, []string{late}},
		"EC2 was silent, and a kept answer":  {[]func(*facts.Facts){old, asked(facts.TimedOut)}, nil},
		"EC2 refused, and no kept answer":    {[]func(*facts.Facts){noAPI, asked(facts.Forbidden)}, nil},
		"something else could not be read":   {[]func(*facts.Facts){notAsked, func(f *facts.Facts) { f.Problems = []facts.Problem{{Path: "user-data"}} }}, []string{volumeA, late}},
		"EC2's name has no address, as ever": {[]func(*facts.Facts){noAPI, asked(facts.NoName)}, nil},
	} {
		f := machine(append([]func(*facts.Facts){says("role=x"), withDisks()}, c.change...)...)
		steps := planOf(t, f, role("x", "role: x\nstorage:\n  volumes: {s: {ids: ["+volumeA+", "+late+"]}}\n  raid: {r: {level: 1, of: s, create: if-blank}}\n"))
		r := stepOf(t, steps, "raid:r").Resource.(storage.MDArray)
		if got := slices.Sorted(maps.Keys(r.Untold)); !slices.Equal(got, c.want) {
			t.Errorf("%s: not told of %v, want %v", name, got, c.want)
		}
	}
}
