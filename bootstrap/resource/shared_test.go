package resource

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// state is the agent's own folders: no part of what the image had.
const state, runState = "/var", "/run"

// one is a resource on a machine, and what must be there once it is so.
type one struct {
	name  string
	res   plan.Resource
	files map[string]string // the image
	units map[string]string
	want  map[string]string // path -> content afterwards; "-" absent
	say   string            // of the change
	live  bool
}

func (c one) machine(t *testing.T) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, c.files)
	m.Put("/var/", "", 0)
	m.Put("/run/", "", 0)
	for name, s := range c.units {
		m.SetUnit(name, s)
	}
	return m
}

func cases() []one {
	const secret = "/etc/reveille/ldap.pw"
	bind := File{Path: "/etc/nslcd.conf", Mode: 0o600, Content: []byte("uri ldap://a\nbindpw @PW@\n"),
		Secrets: map[string]string{"@PW@": secret}, Concern: "directory"}
	block := File{Path: "/etc/hosts", Edit: Block{Name: "naming", Lines: []string{"10.0.0.1 a"}}, Concern: "naming"}
	nslcd := "nslcd.service"
	return []one{
		{name: "new file", res: File{Path: "/etc/a", Content: []byte("x\ny\n")},
			want: map[string]string{"/etc/a": "x\ny\n"}, say: "write /etc/a (new, 2 lines)"},
		{name: "new folders", res: File{Path: "/etc/x.d/y/a", Content: []byte("x\n")},
			want: map[string]string{"/etc/x.d/y/a": "x\n"}, say: "write /etc/x.d/y/a (new, 1 line)"},
		{name: "other bytes", res: File{Path: "/etc/a", Content: []byte("1\n2\n3\n")}, files: map[string]string{"/etc/a": "1\nB\n"},
			want: map[string]string{"/etc/a": "1\n2\n3\n"}, say: "write /etc/a (2 lines changed)"},
		{name: "other mode", res: File{Path: "/etc/a", Mode: 0o600, Content: []byte("x")}, files: map[string]string{"/etc/a": "x"},
			want: map[string]string{"/etc/a": "x"}, say: "write /etc/a (mode 0600, was 0644)"},
		{name: "a link in its place", res: File{Path: "/etc/a", Content: []byte("x\n")},
			files: map[string]string{"/etc/a": "-> ../lib/stub", "/lib/stub": "s"},
			want:  map[string]string{"/etc/a": "x\n", "/lib/stub": "s"}, say: "write /etc/a (in place of the link to ../lib/stub)"},
		{name: "with a secret", res: bind, files: map[string]string{secret: "hunter2\nsecond line\n", "/etc/nslcd.conf": "bindpw old\n"},
			want: map[string]string{"/etc/nslcd.conf": "uri ldap://a\nbindpw hunter2\n"}, say: "write /etc/nslcd.conf (2 lines changed; mode 0600, was 0644)"},
		{name: "edit", res: block, files: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n"},
			want: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n# BEGIN reveille naming\n10.0.0.1 a\n# END reveille naming\n"},
			say:  "edit /etc/hosts (3 lines changed)"},
		{name: "edit of what is not there", res: block,
			want: map[string]string{"/etc/hosts": "# BEGIN reveille naming\n10.0.0.1 a\n# END reveille naming\n"}, say: "edit /etc/hosts (new, 3 lines)"},
		{name: "edit through a link", res: block, files: map[string]string{"/etc/hosts": "-> /lib/hosts", "/lib/hosts": "x\n"},
			want: map[string]string{"/lib/hosts": "x\n# BEGIN reveille naming\n10.0.0.1 a\n# END reveille naming\n"}, say: "edit /etc/hosts (3 lines changed)"},
		{name: "edit of a file without a last newline", res: block, files: map[string]string{"/etc/hosts": "127.0.0.1 localhost"},
			want: map[string]string{"/etc/hosts": "127.0.0.1 localhost\n# BEGIN reveille naming\n10.0.0.1 a\n# END reveille naming\n"},
			say:  "edit /etc/hosts (4 lines changed)"},
		{name: "name service", res: File{Path: "/etc/nsswitch.conf", Edit: NSSwitch{Source: "ldap", Databases: []string{"passwd", "group"}, Initgroups: true}},
			files: map[string]string{"/etc/nsswitch.conf": "passwd:  files systemd\ngroup: ldap files # odd\nhosts: files dns\n"},
			say:   "edit /etc/nsswitch.conf (3 lines changed)"},
		{name: "words", res: File{Path: "/etc/updatedb.conf", Edit: Words{Lists: []WordList{{Name: "PRUNEFS", Words: []string{"nfs", "cifs"}, Fold: true}, {Name: "PRUNEPATHS", Words: []string{"/nfs"}}}}},
			files: map[string]string{"/etc/updatedb.conf": "PRUNEFS = \"NFS ext2\" # x"},
			want:  map[string]string{"/etc/updatedb.conf": "PRUNEFS = \"NFS ext2 cifs\" # x\nPRUNEPATHS=\"/nfs\"\n"}, say: "edit /etc/updatedb.conf (2 lines changed)"},
		{name: "settings", res: File{Path: "/etc/autofs.conf", Edit: Settings{Section: "autofs", Values: []Setting{{"mount_wait", "5"}}}},
			files: map[string]string{"/etc/autofs.conf": "[ autofs ]\ntimeout = 300\nmount_wait = -1\n"},
			want:  map[string]string{"/etc/autofs.conf": "[ autofs ]\ntimeout = 300\nmount_wait = 5\n"}, say: "edit /etc/autofs.conf (1 line changed)"},
		{name: "a group's line", res: File{Path: "/etc/group", Edit: GroupMember{User: "admin", Group: "users", GID: 100, Own: 1000}},
			files: map[string]string{"/etc/group": "root:x:0:\nusers:x:100:\nadmin:x:1000:\n", "/etc/.pwd.lock": ""},
			want:  map[string]string{"/etc/group": "root:x:0:\nusers:x:100:admin\nadmin:x:1000:\n"}, say: "edit /etc/group (1 line changed)"},
		{name: "host name", res: Hostname{Name: "dev-mysql01"}, say: "set the live host name to dev-mysql01 (was localhost)", live: true},
		{name: "restart", res: Unit{Name: nslcd, Reads: []File{bind}}, files: map[string]string{secret: "x\n"},
			units: map[string]string{nslcd: "active"}, say: "restart nslcd.service (its files are not those that it was last started with)", live: true},
		{name: "start", res: Unit{Name: nslcd, Start: true}, units: map[string]string{nslcd: "inactive"}, say: "start nslcd.service", live: true},
		{name: "service", res: Service{Name: "mysql.service"}, units: map[string]string{"mysql.service": "inactive"},
			say: "start mysql.service", live: true},
	}
}

// Check, Do, and Check is empty: of every resource; then Original, and the
// image is as it was.
func TestEveryResource(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			m := c.machine(t)
			before := m.Tree(state, runState)
			h := m.Host()

			changes := check(t, h, c.res)
			if len(changes) != 1 || changes[0].Say != c.say || changes[0].Risk != plan.Disrupts {
				t.Fatalf("changes: %+v\nwant one, %q, that disrupts", changes, c.say)
			}
			if n := m.Writes(); n != 0 {
				t.Fatalf("looking has written: %v", m.Effects())
			}
			run(t, changes)
			isSo(t, h, c.res)
			holds(t, m, c.want)
			if temps := m.Temps(); len(temps) > 0 {
				t.Errorf("left behind: %v", temps)
			}

			m.Forget()
			isSo(t, m.Host(), c.res)
			if n := m.Writes(); n != 0 {
				t.Errorf("the second run has written: %v", m.Effects())
			}
			restoreAll(t, m)
			if d := cmp.Diff(before, m.Tree(state, runState)); d != "" {
				t.Error("not as it was after the restore:\n" + d)
			}
			if m.Hostname() != "localhost" {
				t.Errorf("the live host name is %s after the restore", m.Hostname())
			}
		})
	}
}

// A machine in a folder: the same files, but no live step.
func TestUnderAnotherRoot(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			m := c.machine(t)
			h := m.Offline()
			if c.live {
				if l, ok := c.res.(plan.Liver); !ok || !l.Live() {
					t.Error("it does not say that it is live")
				}
				if _, err := c.res.Check(context.Background(), h); !errors.Is(err, host.ErrOffline) {
					t.Errorf("Check: %v, want ErrOffline", err)
				}
				return
			}
			run(t, check(t, h, c.res))
			isSo(t, h, c.res)
			holds(t, m, c.want)
		})
	}
}

// Killed at each point of a change, the next run converges, and a restore
// after either brings the image back.
func TestKilledAnywhere(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // most of the time goes into waiting for the disk
			died := true
			n := 0
			for died {
				n++
				m := c.machine(t)
				before := m.Tree(state, runState)
				died = m.Kill(n, func(h *host.Host) { run(t, check(t, h, c.res)) })

				again := c.machine(t) // the same kill, then restored at once
				if again.Kill(n, func(h *host.Host) { run(t, check(t, h, c.res)) }) {
					restoreAll(t, again)
				}
				if d := cmp.Diff(before, again.Tree(state, runState)); died && d != "" {
					t.Errorf("killed at %d, restored:\n%s", n, d)
				}

				h := m.Host()
				if err := Sweep(h, plan.Plan{{Resource: c.res}}); err != nil {
					t.Error(err)
				}
				run(t, check(t, h, c.res))
				isSo(t, h, c.res)
				holds(t, m, c.want)
				if temps := m.Temps(); len(temps) > 0 {
					t.Errorf("killed at %d: left behind: %v", n, temps)
				}
				restoreAll(t, m)
				if d := cmp.Diff(before, m.Tree(state, runState)); d != "" {
					t.Errorf("killed at %d, run again, restored:\n%s", n, d)
				}
			}
			if n < 3 {
				t.Errorf("only %d points to die at", n-1)
			}
		})
	}
}

// Killed at each point of the restore, the next restore ends it.
func TestRestoreKilledAnywhere(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for n, died := 1, true; died; n++ {
				m := c.machine(t)
				before := m.Tree(state, runState)
				run(t, check(t, m.Host(), c.res))
				died = m.Kill(n, func(h *host.Host) { restoreOn(t, h) })
				if err := Sweep(m.Host(), nil); err != nil {
					t.Error(err)
				}
				restoreAll(t, m)
				if d := cmp.Diff(before, m.Tree(state, runState)); d != "" {
					t.Errorf("killed at %d:\n%s", n, d)
				}
				if temps := m.Temps(); len(temps) > 0 {
					t.Errorf("killed at %d: left behind: %v", n, temps)
				}
				for path := range m.Tree(runState) {
					if strings.HasPrefix(path, originals.Dir+"/%2F") || strings.HasPrefix(path, SavedDir+"/") {
						t.Errorf("killed at %d: still there: %s", n, path)
					}
				}
			}
		})
	}
}

// check calls Check and fails the test on an error.
func check(t *testing.T, h *host.Host, r plan.Resource) []plan.Change {
	t.Helper()
	changes, err := r.Check(context.Background(), h)
	if err != nil {
		t.Fatalf("%s: %v", r.ID(), err)
	}
	return changes
}

func run(t *testing.T, changes []plan.Change) {
	t.Helper()
	for _, c := range changes {
		if c.Risk == plan.Nothing {
			t.Errorf("%s: no risk is set", c.Say)
		}
		if err := c.Do(context.Background()); err != nil {
			t.Fatalf("%s: %v", c.Say, err)
		}
	}
}

func isSo(t *testing.T, h *host.Host, r plan.Resource) {
	t.Helper()
	if changes := check(t, h, r); len(changes) > 0 {
		t.Errorf("%s: still to do: %s\n%s", r.ID(), changes[0].Say, changes[0].Diff)
	}
}

func holds(t *testing.T, m *hosttest.Machine, want map[string]string) {
	t.Helper()
	tree := m.Tree()
	for path, content := range want {
		_, there := tree[path]
		switch {
		case content == "-" && there:
			t.Errorf("%s is still there", path)
		case content != "-" && !there:
			t.Errorf("%s is not there", path)
		case content != "-" && m.Read(path) != content:
			t.Errorf("%s holds %q, want %q", path, m.Read(path), content)
		}
	}
}

func restoreAll(t *testing.T, m *hosttest.Machine) {
	t.Helper()
	h := m.Host()
	restoreOn(t, h)
	s, err := originals.Load(h)
	if err != nil || !s.Empty() {
		t.Errorf("still kept after the restore: %+v (%v)", s.List(), err)
	}
}

func restoreOn(t *testing.T, h *host.Host) {
	t.Helper()
	s, err := originals.Load(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range Originals(s) {
		run(t, check(t, h, o))
		isSo(t, h, o)
	}
}

// killed lets a resource's change die at the n-th point.
func killed(t *testing.T, m *hosttest.Machine, n int, r plan.Resource) bool {
	t.Helper()
	return m.Kill(n, func(h *host.Host) { run(t, check(t, h, r)) })
}
