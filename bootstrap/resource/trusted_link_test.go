package resource

import (
	"strings"
	"testing"

	"reveille/bootstrap/host/hosttest"
)

// Of a link that leads to a link, the folder between the two chooses as well:
// its owner could turn the second one elsewhere.
func TestTrustedFollowsEveryLink(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		open  string // this folder is for all
		want  string // "" where it is trusted
	}{
		"all root's": {map[string]string{"/usr/sbin/go": "-> /opt/app/current/go", "/opt/app/current": "-> v2", "/opt/app/v2/go": "x"}, "", ""},
		"a room between two links": {map[string]string{"/usr/sbin/go": "-> /home/app/go", "/home/app/go": "-> /opt/go", "/opt/go": "x"},
			"/home/app", "/home/app above /usr/sbin/go"},
		"a folder that is a link in an open room": {map[string]string{"/usr/sbin/go": "-> ../../srv/current/go", "/srv/current": "-> /opt/v2", "/opt/v2/go": "x"},
			"/srv", "/srv above /usr/sbin/go"},
		"back out of an open room": {map[string]string{"/usr/sbin/go": "-> /srv/app/../../opt/go", "/srv/app/x": "x", "/opt/go": "x"},
			"/srv/app", "/srv/app above /usr/sbin/go"},
		"in a circle": {map[string]string{"/usr/sbin/go": "-> /usr/bin/go", "/usr/bin/go": "-> /usr/sbin/go"}, "", "too many levels"},
	} {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{})
			for path, content := range c.files {
				m.Put(path, content, 0o755)
			}
			if c.open != "" {
				chmod(t, m, c.open, 0o777)
			}
			err := trusted(m.Host(), "/usr/sbin/go")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
