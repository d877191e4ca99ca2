package storage

import (
	"slices"
	"testing"
)

// What was noted of scratch explains nothing once that is made anew; what was
// noted of EBS volumes, attached or not, explains what lies on them for good.
func TestForgottenIntents(t *testing.T) {
	all := []string{"AWS0000A.json", "AWS0000B.json", "AWS0000F.json", "vol-0000000a.json", "vol-0000000f.json"}
	for name, c := range map[string]struct {
		about []Device
		want  []string
	}{
		"scratch":         {[]Device{Volume{"AWS0000A"}}, []string{"AWS0000B.json", "vol-0000000a.json", "vol-0000000f.json"}},
		"a volume":        {[]Device{Volume{"vol-0000000a"}}, all},
		"both":            {[]Device{Volume{"AWS0000A"}, Volume{"vol-0000000a"}}, all},
		"upon scratch":    {[]Device{MDArray{Name: "tmp", Over: []string{"AWS0000A"}}}, all},
		"nothing at all":  {nil, all},
		"another scratch": {[]Device{Volume{"AWS0000C"}}, all}, // which the profile does not call so
	} {
		w := newWorld(t, "AWS0000A", "AWS0000B", "vol-0000000a")
		s := Common{Folder: "/var/lib/reveille/instances/i-1/storage", Scratch: map[string]bool{"AWS0000A": true, "AWS0000B": true}}
		for _, f := range all {
			w.Put(s.Folder+"/intents/"+f, "{}", 0o600)
		}
		if err := s.forgetGone(w.Host(), c.about...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := w.Host().ReadDir(s.Folder + "/intents"); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
