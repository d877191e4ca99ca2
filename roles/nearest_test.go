package roles

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
)

func TestNearest(t *testing.T) {
	all := map[string][]string{
		"us-east-1a": {"a1", "a2"}, "us-east-1b": {"b1", "r1"}, "us-east-1-bos-1a": {"l1"}, "us-east-1": {"r1", "a1"},
		"us-east-10a": {"no"}, "us-west-2": {"w1"}, "default": {"d1", "b1"},
	}
	tests := []struct{ zone, region, want string }{
		{"us-east-1a", "us-east-1", "a1 a2 r1 l1 b1 d1"},
		{"us-east-1b", "us-east-1", "b1 r1 a1 l1 a2 d1"},
		{"us-east-1c", "us-east-1", "r1 a1 l1 a2 b1 d1"},
		{"us-east-1-bos-1a", "us-east-1", "l1 r1 a1 a2 b1 d1"},
		{"us-west-2a", "us-west-2", "w1 d1 b1"},
		{"eu-west-1a", "eu-west-1", "d1 b1"},
		{"", "", "d1 b1"},
	}
	for _, tt := range tests {
		got, left, _ := chosen(nearest(all, tt.zone, tt.region), tt.region, 0)
		if strings.Join(got, " ") != tt.want || left != nil {
			t.Errorf("%s in %s: %s, want %s; left out %v", tt.zone, tt.region, got, tt.want, left)
		}
	}
}

func TestNeverAllInOneZone(t *testing.T) {
	type lists = map[string][]string
	tests := map[string]struct {
		all  lists
		zone string
		want string // kept / left out
	}{
		"fits":                        {lists{"us-east-1a": {"1", "2", "3"}}, "us-east-1a", "1 2 3 /"},
		"two of its own":              {lists{"us-east-1a": {"1", "2"}, "default": {"8", "9"}}, "us-east-1a", "1 2 8 / 9"},
		"three of its own":            {lists{"us-east-1a": {"1", "2", "3"}, "default": {"9"}}, "us-east-1a", "1 2 9 / 3"},
		"four of its own, and region": {lists{"us-east-1a": {"1", "2", "3", "4"}, "us-east-1": {"8"}, "default": {"9"}}, "us-east-1a", "1 2 8 / 3 4 9"},
		"nobody else":                 {lists{"us-east-1a": {"1", "2", "3", "4"}}, "us-east-1a", "1 2 3 / 4"},
		"all of a neighbour":          {lists{"us-east-1a": {"1", "2", "3"}, "us-east-1b": {"9"}}, "us-east-1c", "1 2 9 / 3"},
		"a region's may be anywhere":  {lists{"us-east-1": {"1", "2", "3"}, "default": {"9"}}, "us-east-1a", "1 2 3 / 9"},
	}
	for name, tt := range tests {
		kept, left, _ := chosen(nearest(tt.all, tt.zone, "us-east-1"), "us-east-1", 3)
		got := strings.TrimRight(strings.Join(kept, " ")+" / "+strings.Join(left, " "), " ")
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// Whatever the lists: nothing is lost or made up, and of more than may be kept
// the kept are of one zone only where all are.
func TestChosenKeepsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := []string{"us-east-1a", "us-east-1b", "us-east-1", "default", "us-west-2"}
		all := map[string][]string{}
		for _, p := range places {
			all[p] = rapid.SliceOfN(rapid.StringMatching("[a-f]"), 0, 4).Draw(t, p)
		}
		entries := nearest(all, rapid.SampledFrom([]string{"us-east-1a", "us-east-1c"}).Draw(t, "zone"), "us-east-1")
		kept, left, _ := chosen(entries, "us-east-1", 3)
		var want []string
		zones := map[string]bool{}
		at := map[string]string{}
		for _, e := range entries {
			want, at[e.entry], zones[e.at] = append(want, e.entry), e.at, true
		}
		got := slices.Concat(kept, left)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(kept) != min(3, len(want)) {
			t.Fatalf("of %v: %v and %v", want, kept, left)
		}
		mine := map[string]bool{}
		for _, k := range kept {
			mine[at[k]] = true
		}
		if len(left) > 0 && len(mine) == 1 && len(zones) > 1 && (mine["us-east-1a"] || mine["us-east-1b"]) {
			t.Fatalf("all of one zone: %v of %v", kept, entries)
		}
	})
}

// The note says why a nearer one was left out.
func TestListsByPlaceAreSpread(t *testing.T) {
	text := "role: web\nresolver:\n  nameservers:\n    us-east-1a: [10.0.0.2, 10.0.0.3, 10.0.0.4]\n    us-east-1b: [10.0.1.2]\n"
	p := mustResolve(t, machine(says("role=web")), role("web", text))
	if got := fmt.Sprint(p.Resolver.Nameservers); got != "[10.0.0.2 10.0.0.3 10.0.1.2]" {
		t.Errorf("got %s", got)
	}
	contains(t, strings.Join(p.Notes, "\n"), "10.0.0.4 left out, since 3 is all that glibc asks and one of the others is of another zone")
	neighbour := machine(says("role=web"), func(f *facts.Facts) { f.Instance.Zone = facts.Known("us-east-1c") })
	p = mustResolve(t, neighbour, role("web", text))
	if got := fmt.Sprint(p.Resolver.Nameservers); got != "[10.0.0.2 10.0.0.3 10.0.1.2]" {
		t.Errorf("in a zone without a list: %s", got)
	}
}
