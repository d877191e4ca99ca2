package resource

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
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

// A file goes back also where nobody answers for the unit that reads it: that
// is said once, and the file is no longer ours.
func TestRestoreWithoutSystemd(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	m.SetUnit("a.service", "active")
	f := File{Path: "/etc/a", Content: []byte("ours\n")}
	run(t, check(t, m.Host(), f))
	run(t, check(t, m.Host(), Unit{Name: "a.service", Reads: []File{f}}))
	h, err := host.New(host.Options{Root: m.Root, Commands: m, Units: noSystemd{}, Names: noSystemd{}})
	if err != nil {
		t.Fatal(err)
	}
	err = check(t, h, Original{Path: "/etc/a"})[0].Do(t.Context())
	if err == nil || !strings.Contains(err.Error(), "systemctl try-restart a.service") {
		t.Errorf("%v", err)
	}
	holds(t, m, map[string]string{"/etc/a": "image\n"})
	if s, err := originals.Load(h); err != nil || !s.Empty() {
		t.Errorf("still kept: %v, %v", s.List(), err)
	}
}

// A unit that is not running is not started by what goes back.
func TestRestoreStartsNothing(t *testing.T) {
	for state, want := range map[string]bool{"active": true, "inactive": false, "failed": false, "absent": false, "masked": false} {
		m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
		m.SetUnit("a.service", "active")
		f := File{Path: "/etc/a", Content: []byte("ours\n")}
		run(t, check(t, m.Host(), f))
		run(t, check(t, m.Host(), Unit{Name: "a.service", Reads: []File{f}}))
		m.SetUnit("a.service", state)
		before := len(m.Jobs())
		restoreAll(t, m)
		if got := slices.Contains(m.Jobs()[before:], "try-restart a.service"); got != want {
			t.Errorf("%s: restarted %v", state, got)
		}
	}
}

// noSystemd is a machine on which nobody answers.
type noSystemd struct{ host.Units }

var errNobody = errors.New("nobody answers")

func (noSystemd) State(context.Context, string) (string, error) { return "", errNobody }
func (noSystemd) Enqueue(context.Context, string, string) error { return errNobody }
func (noSystemd) Reload(context.Context) error                  { return errNobody }
func (noSystemd) Hostname() (string, error)                     { return "", errNobody }
func (noSystemd) SetHostname(string) error                      { return errNobody }
