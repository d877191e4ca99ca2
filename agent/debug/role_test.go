package debug

import (
	"strings"
	"testing"

	"reveille/roles"
)

// Of a machine that no role file knows it says all the same who laid out its
// disks, and by which tag.
func TestRoleTellsOfTagsOfVolumes(t *testing.T) {
	p := roles.Profile{Chosen: "nobody names one", Settings: []roles.Setting{
		{Key: "storage.raid.data.level", Value: "10", Written: "reveille:level=10", Layer: roles.Tags, Name: "tags of vol-0a\x1b and 3 more"},
		{Key: "storage.from_tags", Value: "true", Layer: roles.Local, Name: "local.yaml"},
		{Key: "identity.hostname", Value: "dev01", Layer: roles.Tags, Name: "tag hostname"},
	}}
	var b strings.Builder
	Role(&b, p)
	want := "no role: nobody names one\ndisks, by tags of the volumes:\n  storage.raid.data.level = 10\n      reveille:level=10, tags of vol-0a\ufffd and 3 more\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
