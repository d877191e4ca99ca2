//go:build soak

package integration_test

import (
	"strings"
	"testing"
)

// What a cut has left is judged by what a machine tells of itself.
func TestCutsAreJudged(t *testing.T) {
	kept := []cutKept{{sum: "aa  /srv/plain/kept-0", at: -1}}
	ready := func(change func(*cutSeen)) cutSeen {
		s := cutSeen{State: "ready", Mounted: []string{"/var/lib/db xfs rw,noatime", "/srv/plain ext4 rw"}, Complete: []string{"complete"},
			UUIDs: []string{"UUID=00112233:44556677"}, Sums: []string{"aa  /srv/plain/kept-0"}, Intents: []cutIntent{{"raid:data", "00112233-4455-6677"}}}
		change(&s)
		return s
	}
	refused := func(steps ...cutStep) cutSeen {
		return ready(func(s *cutSeen) { s.State, s.Mounted, s.Amiss = "failed", nil, steps })
	}
	failed := cutStep{ID: "raid:data", State: "failed", Error: "it is another's"}
	for name, c := range map[string]struct {
		seen  cutSeen
		words string // "" where all is well
	}{
		"converged":        {ready(func(*cutSeen) {}), ""},
		"refused":          {refused(failed, cutStep{ID: "lvm:db", State: "blocked"}), ""},
		"without a reason": {refused(cutStep{ID: "raid:data", State: "failed"}), "no step says why"},
		"blocked by none":  {refused(cutStep{ID: "lvm:db", State: "blocked"}), "no step says why"},
		"and hangs":        {refused(failed, cutStep{ID: "lvm:db", State: "waiting"}), "no step says why"},
		"not mounted":      {ready(func(s *cutSeen) { s.Mounted = s.Mounted[:1] }), "/srv/plain ext4 rw is not mounted"},
		"read-only":        {ready(func(s *cutSeen) { s.Mounted[0] = "/var/lib/db xfs ro" }), "/var/lib/db xfs rw is not mounted"},
		"not complete":     {ready(func(s *cutSeen) { s.Complete = nil }), "is not called complete"},
		"made anew":        {ready(func(s *cutSeen) { s.Noted = []cutIntent{{"lvm:db", "ff"}} }), "lvm:db has not the UUID ff"},
		"another file":     {ready(func(s *cutSeen) { s.Sums[0] = "bb  /srv/plain/kept-0" }), "a file that was kept is gone, or another"},
		"refused, no file": {ready(func(s *cutSeen) { s.State, s.Amiss, s.Sums = "failed", []cutStep{failed}, nil }), "a file that was kept is gone"},
	} {
		if got := c.seen.amiss(kept); (got == "") != (c.words == "") || !strings.Contains(got, c.words) {
			t.Errorf("%s: %q, want %q", name, got, c.words)
		}
	}
}
