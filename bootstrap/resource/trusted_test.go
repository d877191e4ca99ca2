package resource

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

// Only root can give a file away, so only root can show this.
func TestScriptOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: nothing can be given to another user here")
		return
	}
	for _, path := range []string{prepare, "/usr/local/sbin"} {
		m := scripted(t, well)
		if err := os.Chown(filepath.Join(m.Root, path), 1000, 1000); err != nil {
			t.Fatal(err)
		}
		refuses(t, m, theScript(), "belongs to user 1000", "chown root "+path)
	}
}

// What somebody else than root could choose is not run as root, nor is what
// cannot be run, and then nothing is noted.
func TestScriptMustBeRootsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(m *hosttest.Machine)
		want string
	}{
		"absent":          {func(m *hosttest.Machine) { _ = m.Host().Remove(prepare) }, "is not there"},
		"a folder":        {func(m *hosttest.Machine) { _ = m.Host().Remove(prepare); m.Put(prepare+"/", "", 0) }, "no file that could be run"},
		"not executable":  {func(m *hosttest.Machine) { m.Put(prepare, "", 0o644) }, "chmod 0755 " + prepare},
		"for all":         {func(m *hosttest.Machine) { m.Put(prepare, "", 0o757) }, "chmod go-w " + prepare},
		"in an open room": {func(m *hosttest.Machine) { chmod(t, m, "/usr/local", 0o777) }, "/usr/local above " + prepare},
		"a link to one for all": {func(m *hosttest.Machine) {
			m.Put("/srv/app/prepare", "", 0o757)
			m.Put(prepare, "-> /srv/app/prepare", 0)
		}, "others than root may write"},
		"a link into an open room": {func(m *hosttest.Machine) {
			m.Put("/srv/app/prepare", "", 0o755)
			chmod(t, m, "/srv/app", 0o757)
			m.Put(prepare, "-> /srv/app/prepare", 0)
		}, "/srv/app above"},
	} {
		t.Run(name, func(t *testing.T) {
			m := scripted(t, well)
			c.put(m)
			before := m.Tree()
			refuses(t, m, theScript(), c.want)
			if d := cmp.Diff(before, m.Tree()); d != "" || launches(m) > 0 {
				t.Errorf("it did something: %s", d)
			}
		})
	}
}

func chmod(t *testing.T, m *hosttest.Machine, path string, mode fs.FileMode) {
	t.Helper()
	if err := m.Host().Chattr(path, host.Attr{Mode: mode, UID: -1, GID: -1}); err != nil {
		t.Fatal(err)
	}
	m.Forget()
}
