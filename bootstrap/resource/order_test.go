package resource

import (
	"slices"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
)

const (
	kept   = originals.Dir + "/%2Fetc%2Fa.original"
	synced = "sync:" + originals.Dir + " done"
	shown  = "write:/etc/a rename"
)

// inOrder says whether the points came, in this order and perhaps with others
// between.
func inOrder(points []string, want ...string) bool {
	for _, w := range want {
		i := slices.Index(points, w)
		if i < 0 {
			return false
		}
		points = points[i+1:]
	}
	return true
}

// What was there, and what is known of it, is on the disk before a file is
// replaced, the first time and every other.
func TestTheOriginalIsOnTheDiskFirst(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image's"})
	for _, content := range []string{"one", "two"} {
		m.Forget()
		run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte(content)}))
		if p := m.Points(); !inOrder(p, "write:"+kept+" sync", "write:"+kept+" renamed", synced, shown) {
			t.Errorf("%s: the file was replaced too early: %q", content, p)
		}
	}
}

// Whoever kept the original may have been killed before it was on the disk: the
// next waits for that, though there is nothing left to keep.
func TestTheOriginalOfAKilledRunIsOnTheDiskFirst(t *testing.T) {
	f := File{Path: "/etc/a", Content: []byte("ours")}
	killed := 0
	for n := 1; ; n++ {
		m := hosttest.New(t, map[string]string{"/etc/a": "image's"})
		if !m.Kill(n, func(h *host.Host) { run(t, check(t, h, f)) }) {
			break
		}
		was := m.Points()
		if slices.Contains(was, shown) {
			continue
		}
		killed++
		m.Forget()
		run(t, check(t, m.Host(), f))
		if p := m.Points(); !inOrder(p, synced, shown) {
			t.Errorf("killed at %q: the file was replaced too early: %q", was[len(was)-1], p)
		}
	}
	if killed < 6 {
		t.Errorf("only %d points to die at", killed)
	}
}

// An edit that the next has replaced is forgotten when the file is on the disk
// without it, and not before: nobody could undo it any more.
func TestAnEditIsForgottenLast(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image's\n"})
	run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"one"}}}))
	m.Forget()
	run(t, check(t, m.Host(), File{Path: "/etc/a", Edit: Block{Name: "n", Lines: []string{"two"}}}))
	if p := m.Points(); !inOrder(p, "write:"+kept+" renamed", synced, "write:/etc/a renamed", "sync:/etc done", "write:"+kept+" rename") {
		t.Errorf("%q", p)
	}
}

// An original is forgotten when the file is on the disk as it was, also where
// somebody else has put it back.
func TestAnOriginalIsForgottenLast(t *testing.T) {
	for _, now := range []string{"ours", "image's", "-"} {
		image := map[string]string{"/etc/a": "image's"}
		if now == "-" {
			image = map[string]string{"/etc/": ""}
		}
		m := hosttest.New(t, image)
		run(t, check(t, m.Host(), File{Path: "/etc/a", Content: []byte("ours")}))
		switch now {
		case "image's":
			m.Put("/etc/a", now, 0o644)
		case "-":
			if err := m.Host().Remove("/etc/a"); err != nil {
				t.Fatal(err)
			}
		}
		m.Forget()
		run(t, check(t, m.Host(), Original{Path: "/etc/a"}))
		if p := m.Points(); !inOrder(p, "sync:/etc done", "remove:"+kept+" remove") {
			t.Errorf("with %q in its place: %q", now, p)
		}
	}
}
