package resource

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

func TestFileRefuses(t *testing.T) {
	files := map[string]string{"/etc/dir/": "", "/etc/pw": "\nsecond", "/etc/good": "hunter2\n", "/etc/cr": "a\rb\n",
		"/etc/open": "<", "/etc/group": "nslcd:x:7:\n"}
	with := func(from string) File {
		return File{Path: "/etc/a", Content: []byte("pw @PW@"), Secrets: map[string]string{"@PW@": from}}
	}
	everybody := with("/etc/good")
	everybody.Mode = 0o644
	nowhere := with("/etc/good")
	nowhere.Content = []byte("none")
	edit := File{Path: "/etc/a", Edit: Block{Name: "n"}, Secrets: map[string]string{"@PW@": "/etc/good"}}
	for _, c := range []struct {
		file File
		want string
	}{
		{File{Path: "etc/a"}, "not absolute"},
		{File{Path: "/etc/dir"}, "neither a file nor a link"},
		{File{Path: "/etc/a", Owner: "nslcd"}, `no user "nslcd" in /etc/passwd; install the package`},
		{File{Path: "/etc/a", Group: "sssd"}, `no group "sssd"`},
		{with("/etc/none"), "/etc/none"},
		{with("/etc/pw"), "the first line of /etc/pw is empty"},
		{with("/etc/cr"), "carriage return"},
		{everybody, "lets everybody read"},
		{nowhere, "has no place"},
		{edit, "not into an edit"},
		{File{Path: "/etc/open", Edit: grows{}}, "would never end"},
		{File{Path: "/etc/open", Edit: Block{Name: "n"}, Owner: "nobody"}, `no user "nobody"`},
	} {
		m := hosttest.New(t, files)
		before := m.Tree()
		_, err := c.file.Check(context.Background(), m.Host())
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file.Path) {
			t.Errorf("%+v: %v, want %q", c.file, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the secret is in the error: %v", err)
		}
		if d := cmp.Diff(before, m.Tree()); d != "" {
			t.Errorf("a refusal has written:\n%s", d)
		}
	}
}

// grows is an edit that never ends. Its kind is one that is known, so that it
// gets as far as Apply.
type grows struct{ Block }

func (grows) Apply(old []byte) ([]byte, error) { return append(old, '+'), nil }

func TestFileModeAndOwner(t *testing.T) {
	secret := map[string]string{"@PW@": "/etc/pw"}
	for _, c := range []struct {
		name string
		file File
		old  fs.FileMode // 0: none
		want fs.FileMode
	}{
		{"new", File{}, 0, 0o644},
		{"new and secret", File{Secrets: secret}, 0, 0o600},
		{"the present one stays", File{}, 0o640, 0o640},
		{"but not to everybody's use, with a secret", File{Secrets: secret}, 0o664, 0o660},
		{"asked for", File{Mode: 0o640, Secrets: secret}, 0o644, 0o640},
		{"an edit leaves it", File{Edit: Block{Name: "n", Lines: []string{"x"}}}, 0o600, 0o600},
		{"an edit may ask for it", File{Mode: 0o640, Edit: Block{Name: "n", Lines: []string{"x"}}}, 0o600, 0o640},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/pw": "x\n"})
			if c.old != 0 {
				m.Put("/etc/a", "old @PW@\n", c.old)
			}
			before := m.Tree(state)
			c.file.Path, c.file.Content = "/etc/a", []byte("new @PW@\n")
			run(t, check(t, m.Host(), c.file))
			isSo(t, m.Host(), c.file)
			if i, _ := m.Host().Lstat("/etc/a"); i.Mode != c.want {
				t.Errorf("mode %v, want %v", i.Mode, c.want)
			}
			restoreAll(t, m)
			if d := cmp.Diff(before, m.Tree(state)); d != "" {
				t.Error("not as it was:\n" + d)
			}
		})
	}
}

func TestFileOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give files away")
	}
	m := hosttest.New(t, map[string]string{"/etc/group": "nslcd:x:112:\n", "/etc/passwd": "nslcd:x:110:112::/:\n", "/etc/a": "x"})
	before := m.Tree(state)
	f := File{Path: "/etc/a", Owner: "nslcd", Group: "nslcd", Content: []byte("x")}
	changes := check(t, m.Host(), f)
	if len(changes) != 1 || changes[0].Say != "write /etc/a (owner 110:112, was 0:0)" {
		t.Fatalf("%+v", changes)
	}
	run(t, changes)
	isSo(t, m.Host(), f)
	if i, _ := m.Host().Lstat("/etc/a"); i.UID != 110 || i.GID != 112 {
		t.Errorf("owner %d:%d", i.UID, i.GID)
	}
	restoreAll(t, m)
	if d := cmp.Diff(before, m.Tree(state)); d != "" {
		t.Error("not as it was:\n" + d)
	}
}

// No diff, no description and no word shows a secret: neither the new one, nor
// what the old file held.
func TestSecretsStaySecret(t *testing.T) {
	file := File{Path: "/etc/nslcd.conf", Mode: 0o600, Content: []byte("uri ldap://a\nbindpw @PW@\nbase dc=a\n"),
		Secrets: map[string]string{"@PW@": "/etc/pw"}}
	plain := File{Path: "/etc/nslcd.conf", Mode: 0o600, Content: []byte("uri ldap://a\n")}
	block := File{Path: "/etc/nslcd.conf", Edit: Block{Name: "n", Lines: []string{"x"}}}
	for _, c := range []struct {
		name  string
		file  File
		old   string
		mode  fs.FileMode
		shows []string
	}{
		{"new", file, "", 0, []string{"+bindpw ********", "+uri ldap://a"}},
		{"the old secret", file, "uri ldap://a\nbindpw topsecret\n", 0o644, []string{"-bindpw (hidden)", " uri ldap://a"}},
		{"with other spaces", file, "  bindpw   topsecret\n#bindpw topsecret\nrootpw=topsecret\n", 0o644, []string{"-(hidden)"}},
		{"alone on its line", file, "topsecret\ntopsecret=\n", 0o644, nil},
		{"the secret alone differs", file, "uri ldap://a\nbindpw topsecret\nbase dc=a\n", 0o600, []string{"-bindpw (hidden)", "+bindpw ********", " base dc=a"}},
		{"a file that only root may read", plain, "uri ldap://topsecret\nbindpw topsecret\n", 0o600, []string{"-uri (hidden)"}},
		{"an edit of one", block, "bindpw topsecret\n", 0o600, []string{"not shown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/pw": "hunter2\n"})
			if c.mode != 0 {
				m.Put("/etc/nslcd.conf", c.old, c.mode)
			}
			changes := check(t, m.Host(), c.file)
			if len(changes) != 1 {
				t.Fatalf("%d changes", len(changes))
			}
			all := changes[0].Say + changes[0].Diff + c.file.Describe()
			run(t, changes)
			for _, o := range check(t, m.Host(), Original{Path: c.file.Path}) {
				all += o.Say + o.Diff
			}
			for _, secret := range []string{"hunter2", "topsecret"} {
				if strings.Contains(all, secret) {
					t.Errorf("it shows %q:\n%s", secret, all)
				}
			}
			for _, s := range c.shows {
				if !strings.Contains(all, s) {
					t.Errorf("it does not show %q:\n%s", s, all)
				}
			}
		})
	}
}

func TestDiffKeepsControlCharactersOffTheTerminal(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "x\x1b[2J\n"})
	diff := check(t, m.Host(), File{Path: "/etc/a", Content: []byte("y\n")})[0].Diff
	want := "--- /etc/a (now)\n+++ /etc/a (wanted)\n@@ -1,1 +1,1 @@\n-x?[2J\n+y\n"
	if diff != want {
		t.Errorf("%q, want %q", diff, want)
	}
}

// What a boot pass has confirmed is safe to write again; anything else is not.
func TestRisk(t *testing.T) {
	file := File{Path: "/etc/a", Content: []byte("x @PW@\n"), Mode: 0o600, Secrets: map[string]string{"@PW@": "/etc/pw"}}
	block := File{Path: "/etc/hosts", Edit: Block{Name: "n", Lines: []string{"x"}}}
	wholeHosts := File{Path: "/etc/hosts", Content: []byte("x\n")}
	other, otherMode, otherBlock := file, file, block
	other.Content, otherMode.Mode, otherBlock.Edit = []byte("y @PW@\n"), 0o640, Block{Name: "n", Lines: []string{"y"}}
	for _, c := range []struct {
		name      string
		confirmed plan.Resource
		now       plan.Resource
		password  string
		want      plan.Risk
	}{
		{"never confirmed", nil, file, "pw", plan.Disrupts},
		{"the same", file, file, "pw", plan.Safe},
		{"other bytes", file, other, "pw", plan.Disrupts},
		{"other mode", file, otherMode, "pw", plan.Disrupts},
		{"other secret", file, file, "new", plan.Disrupts},
		{"the same edit", block, block, "pw", plan.Safe},
		{"another edit", block, otherBlock, "pw", plan.Disrupts},
		{"an edit, where a whole file was good", wholeHosts, block, "pw", plan.Disrupts},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/pw": "pw\n", "/etc/a": "someone's\n", "/etc/hosts": "someone's\n"})
			if c.confirmed != nil {
				for range 2 {
					if err := Confirm(m.Host(), []plan.Resource{c.confirmed}); err != nil {
						t.Fatal(err)
					}
				}
				if n := m.Effects(); strings.Count(strings.Join(n, " "), "write:") != 1 {
					t.Errorf("confirmed twice, written as %v", n)
				}
			}
			m.Put("/etc/pw", c.password+"\n", 0o600)
			changes := check(t, m.Host(), c.now)
			if len(changes) != 1 || changes[0].Risk != c.want {
				t.Errorf("%+v, want one that is %v", changes, c.want)
			}
		})
	}
}

func TestRestoreForgetsWhatWasConfirmed(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image's\n"})
	f := File{Path: "/etc/a", Content: []byte("ours\n")}
	run(t, check(t, m.Host(), f))
	if err := Confirm(m.Host(), []plan.Resource{f}); err != nil {
		t.Fatal(err)
	}
	restoreAll(t, m)
	if r := check(t, m.Host(), f)[0].Risk; r != plan.Disrupts {
		t.Errorf("after a restore it is %v", r)
	}
}

// A file changes between the look and the change: an edit is made on what is
// there then.
func TestEditIsMadeOnWhatIsThere(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/hosts": "one\n"})
	f := File{Path: "/etc/hosts", Edit: Block{Name: "n", Lines: []string{"x"}}}
	changes := check(t, m.Host(), f)
	m.Put("/etc/hosts", "one\ntwo\n", 0o644)
	run(t, changes)
	if got := m.Read("/etc/hosts"); !strings.HasPrefix(got, "one\ntwo\n") {
		t.Errorf("somebody's line is lost: %q", got)
	}
	h := m.Host()
	if r, _, err := originals.Get(h, "/etc/hosts"); err != nil || r.SHA256 != originals.Digest([]byte("one\ntwo\n")) {
		t.Errorf("the original is not what was replaced: %+v, %v", r, err)
	}
}

func TestChangeEndsWithItsContext(t *testing.T) {
	for _, c := range cases() {
		m := c.machine(t)
		before := m.Tree()
		ctx, cancel := context.WithCancel(context.Background())
		changes := check(t, m.Host(), c.res)
		cancel()
		if err := changes[0].Do(ctx); err == nil {
			t.Errorf("%s: it was done after its end", c.name)
		}
		if d := cmp.Diff(before, m.Tree()); d != "" || len(m.Jobs()) > 1 {
			t.Errorf("%s: changed after its end: %v\n%s", c.name, m.Jobs(), d)
		}
	}
}

// A real kill, of a process that nobody told.
func TestSigkillInAPass(t *testing.T) {
	f := File{Path: "/etc/x.d/a", Content: []byte("ours\n"), Mode: 0o640}
	g := File{Path: "/etc/b", Edit: Block{Name: "n", Lines: []string{"ours"}}}
	pass := func(h *host.Host) {
		for _, r := range []plan.Resource{f, g} {
			run(t, check(t, h, r))
			isSo(t, h, r)
		}
	}
	if m, ok := hosttest.InChild(t); ok {
		pass(m.Host())
		return
	}
	died := 0
	for n := 1; ; n += 3 {
		m := hosttest.New(t, map[string]string{"/etc/b": "image's\n", "/var/": "", "/run/": ""})
		before := m.Tree(state, runState)
		if !m.Child(t, n) {
			break
		}
		died++
		h := m.Host()
		if err := Sweep(h, plan.Plan{{Resource: f}, {Resource: g}}); err != nil { // as a pass begins
			t.Fatal(err)
		}
		pass(h)
		if temps := m.Temps(); len(temps) > 0 {
			t.Errorf("killed at %d: left behind: %v", n, temps)
		}
		restoreAll(t, m)
		if d := cmp.Diff(before, m.Tree(state, runState)); d != "" {
			t.Errorf("killed at %d:\n%s", n, d)
		}
	}
	if died < 8 {
		t.Errorf("only %d points to die at", died)
	}
}
