package resource

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// The same path wanted in another manner: the first is taken back, and the
// image's own is still what a restore brings.
func TestAnotherMannerOfTheSamePath(t *testing.T) {
	whole := File{Path: "/etc/a", Content: []byte("whole\n")}
	block := File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"one"}}}
	other := File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"two"}}}
	named := File{Path: "/etc/a", Edit: Block{Name: "m", Lines: []string{"one"}}}
	images := map[string]map[string]string{
		"file":   {"/etc/a": "image\n"},
		"link":   {"/etc/a": "-> /lib/a", "/lib/a": "lib\n"},
		"absent": {"/etc/": ""},
	}
	const begin, end = "# BEGIN reveille n\n", "# END reveille n\n"
	for _, c := range []struct {
		name string
		do   []plan.Resource
		want string
	}{
		{"whole, edit", []plan.Resource{whole, block}, begin + "one\n" + end},
		{"edit, whole", []plan.Resource{block, whole}, "whole\n"},
		{"edit, another", []plan.Resource{block, other}, begin + "two\n" + end},
		{"edit, another name", []plan.Resource{block, named}, "# BEGIN reveille m\none\n# END reveille m\n"},
		{"whole, edit, whole", []plan.Resource{whole, block, whole}, "whole\n"},
		{"edit, whole, edit", []plan.Resource{block, whole, block}, begin + "one\n" + end},
	} {
		for image, files := range images {
			t.Run(c.name+" on "+image, func(t *testing.T) {
				t.Parallel()
				step := 1
				if image != "link" {
					step = 5 // the link is the hardest; the others are a sample
				}
				for n, died := 1, true; died; n += step {
					m := hosttest.New(t, files)
					m.Put("/var/", "", 0)
					before := m.Tree(state)
					for _, r := range c.do[:len(c.do)-1] {
						run(t, check(t, m.Host(), r))
						isSo(t, m.Host(), r)
					}
					last := c.do[len(c.do)-1]
					before2 := m.Writes()
					died = killed(t, m, n, last)
					if m.Writes() == before2 && n > 1 {
						t.Error("nothing was done")
					}
					run(t, check(t, m.Host(), last))
					isSo(t, m.Host(), last)
					got, err := m.Host().ReadFile("/etc/a")
					if err != nil || !strings.HasSuffix(string(got), c.want) || strings.Count(string(got), "BEGIN") > 1 {
						t.Fatalf("killed at %d: %q (%v), want %q", n, got, err, c.want)
					}
					restoreAll(t, m)
					if d := cmp.Diff(before, m.Tree(state)); d != "" {
						t.Fatalf("killed at %d: not as it was:\n%s", n, d)
					}
				}
			})
		}
	}
}

func TestOriginalOfWhatIsNotOurs(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	isSo(t, m.Host(), Original{Path: "/etc/a"})
	isSo(t, m.Host(), Original{Path: LiveHostname})
	f := File{Path: "/etc/a", Content: []byte("image\n")}
	isSo(t, m.Host(), f)
	if s, err := originals.Load(m.Host()); err != nil || !s.Empty() {
		t.Errorf("a file that was right is kept as ours: %v, %v", s.List(), err)
	}
}

// Somebody else's version goes where no program reads it, and is not lost.
func TestSomebodyElsesVersionIsSaved(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(t *testing.T, m *hosttest.Machine)
		want string
	}{
		{"on restore", restoreAll, "image\n"},
		{"on the next write", func(t *testing.T, m *hosttest.Machine) {
			run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte("ours\n")}))
		}, "ours\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
			run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte("ours\n")}))
			m.Put("/etc/a", "a person's\n", 0o644)
			c.then(t, m)
			holds(t, m, map[string]string{"/etc/a": c.want, SavedDir + "/%2Fetc%2Fa": "a person's\n"})
		})
	}
}

func TestNothingIsSavedOfOurOwn(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	for _, text := range []string{"one\n", "two\n", "one\n"} {
		run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte(text)}))
	}
	m.Put("/etc/a", "image\n", 0o644) // as a package manager may put it back
	run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte("one\n")}))
	restoreAll(t, m)
	if i, _ := m.Host().Lstat(SavedDir); i.Exists {
		t.Error("our own version was saved as somebody's")
	}
	holds(t, m, map[string]string{"/etc/a": "image\n"})
}

// An edit is undone on what is there now, never by putting an old file back.
func TestEditIsUndoneOnThePresentContent(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/group": "root:x:0:\n"})
	run(t, check(t, m.Host(), File{Path: "/etc/group", Edit: Block{Name: "n", Lines: []string{"x"}}}))
	m.Put("/etc/group", "root:x:0:\n# BEGIN reveille n\nx\n# END reveille n\nnew:x:9:\n", 0o600)
	restoreAll(t, m)
	holds(t, m, map[string]string{"/etc/group": "root:x:0:\nnew:x:9:\n"})
	if i, _ := m.Host().Lstat("/etc/group"); i.Mode != 0o600 {
		t.Errorf("the mode that somebody gave it is lost: %v", i.Mode)
	}
}

func TestEditOfAFileThatSomebodyRemoved(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "x\n"})
	run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"x"}}}))
	if err := m.Host().Remove("/etc/a"); err != nil {
		t.Fatal(err)
	}
	restoreAll(t, m)
	holds(t, m, map[string]string{"/etc/a": "-"})
}

// Folders that were made for several files go with the last of them, in any
// order; one in which somebody has put something stays.
func TestMadeFoldersGoWithTheLastFile(t *testing.T) {
	for _, order := range [][]string{{"/etc/x/a", "/etc/x/y/b"}, {"/etc/x/y/b", "/etc/x/a"}} {
		m := hosttest.New(t, map[string]string{"/etc/": ""})
		before := m.Tree(state)
		for _, path := range []string{"/etc/x/a", "/etc/x/y/b"} {
			run(t, check(t, m.Host(), File{Path: path, Content: []byte("x")}))
		}
		for _, path := range order {
			run(t, check(t, m.Host(), Original{Path: path}))
		}
		if d := cmp.Diff(before, m.Tree(state, "/var")); d != "" {
			t.Errorf("put back in the order %v:\n%s", order, d)
		}
	}
	m := hosttest.New(t, map[string]string{"/etc/": ""})
	run(t, check(t, m.Host(), File{Path: "/etc/x/a", Content: []byte("x")}))
	m.Put("/etc/x/theirs", "kept", 0o644)
	restoreAll(t, m)
	holds(t, m, map[string]string{"/etc/x/theirs": "kept", "/etc/x/a": "-"})
}

func TestDamagedOriginalIsNotPutBack(t *testing.T) {
	kept := originals.Dir + "/%2Fetc%2Fa.original"
	for name, c := range map[string]struct {
		damage func(was string) string
		want   string
	}{
		"other bytes":     {func(was string) string { return strings.Replace(was, "\nimage\n", "\nhalf", 1) }, "damaged"},
		"no bytes":        {func(was string) string { return strings.Replace(was, "\nimage\n", "", 1) }, "damaged"},
		"a broken record": {func(was string) string { return was[10:] }, "cannot be read"},
		"nothing":         {func(string) string { return "" }, "cannot be read"},
		"a new record":    {func(string) string { return `{"version": 9, "path": "/etc/a"}` }, "another version"},
		"another's":       {func(was string) string { return strings.Replace(was, "/etc/a", "/etc/b", 1) }, `"/etc/b"`},
	} {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
			f := File{Path: "/etc/a", Content: []byte("ours\n")}
			run(t, check(t, m.Host(), f))
			m.Put(kept, c.damage(m.Read(kept)), 0o600)
			_, err := Original{Path: "/etc/a"}.Check(context.Background(), m.Host())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			holds(t, m, map[string]string{"/etc/a": "ours\n"})
		})
	}
}

// An edit that a later version cannot read back is not lost in silence.
func TestUnknownEditIsSaid(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"x"}}}))
	record := originals.Dir + "/%2Fetc%2Fa.original"
	m.Put(record, strings.Replace(m.Read(record), `"block"`, `"future"`, 1), 0o600)
	_, err := Original{Path: "/etc/a"}.Check(context.Background(), m.Host())
	if err == nil || !strings.Contains(err.Error(), `no editor of kind "future"`) {
		t.Errorf("%v", err)
	}
}

// A record knows of the edit that is made, not of all that ever were.
func TestReplacedEditsAreDropped(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image\n"})
	for _, line := range []string{"one", "two", "three"} {
		run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{line}}}))
	}
	r, _, err := originals.Get(m.Host(), "/etc/a")
	if err != nil || len(r.Edits) != 1 || !strings.Contains(string(r.Edits[0].Data), "three") {
		t.Errorf("%s, %v", r.Edits, err)
	}
}
