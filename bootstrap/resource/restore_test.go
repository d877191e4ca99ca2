package resource

import (
	"testing"

	"reveille/bootstrap/host/hosttest"
)

// A file that somebody has moved, with a link in its place, loses the edit
// where it is now; the link is theirs and stays.
func TestRestoreOfAnEditFollowsALinkThatCameSince(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"x"}}}))
	edited := m.Read("/etc/a")
	m.Put("/srv/a", edited, 0o644)
	m.Put("/etc/a", "-> /srv/a", 0)
	restoreAll(t, m)
	holds(t, m, map[string]string{"/srv/a": "image\n"})
	if i, err := m.Host().Lstat("/etc/a"); err != nil || i.Link != "/srv/a" {
		t.Errorf("the link is gone: %+v, %v", i, err)
	}
}
