package originals_test

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
)

func keep(t *testing.T, h *host.Host, path, concern string, edits ...originals.Edit) {
	t.Helper()
	r, err := originals.Look(h, path, false)
	if err != nil {
		t.Fatal(err)
	}
	r.Concern, r.Edits = concern, edits
	if err := originals.Keep(h, r); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, h *host.Host) originals.Store {
	t.Helper()
	s, err := originals.Load(h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsKeptComesBack(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "bytes\x00\xff", "/etc/l": "-> a"})
	m.Put("/etc/a", "bytes\x00\xff", 0o640)
	h := m.Host()
	if err := originals.SetOwner(h, "i-1"); err != nil {
		t.Fatal(err)
	}
	keep(t, h, "/etc/a", "resolver")
	keep(t, h, "/etc/l", "naming", originals.Edit{Kind: "one", Data: []byte("{}")}, originals.Edit{Kind: "two", Data: []byte(`{"a":1}`)})
	keep(t, h, "/etc/new/x", "ganglia")

	s := load(t, m.Host())
	want := []originals.Entry{{Path: "/etc/a", Concern: "resolver"}, {Path: "/etc/l", Concern: "naming", Edit: "two"}, {Path: "/etc/new/x", Concern: "ganglia"}}
	if d := cmp.Diff(want, s.List()); d != "" {
		t.Error(d)
	}
	if s.Owner() != "i-1" || s.Empty() {
		t.Errorf("owner %q, empty %v", s.Owner(), s.Empty())
	}
	r, ok, err := originals.Get(h, "/etc/a")
	if err != nil || !ok || r.Mode != 0o640 || r.State != originals.Regular || !r.Whole() {
		t.Errorf("%+v, %v, %v", r, ok, err)
	}
	if data, err := r.Bytes(); string(data) != "bytes\x00\xff" {
		t.Errorf("%q, %v", data, err)
	}
	if r, _, _ := originals.Get(h, "/etc/l"); r.State != originals.Link || r.Link != "a" {
		t.Errorf("%+v", r)
	}
	if r, _, _ := originals.Get(h, "/etc/new/x"); r.State != originals.Absent || !slices.Equal(r.Made, []string{"/etc/new"}) {
		t.Errorf("%+v", r)
	}
	for path, what := range m.Tree("/etc") {
		if strings.HasPrefix(path, originals.Dir) && !strings.HasPrefix(what, "-rw-------") && !strings.HasPrefix(what, "drwx------") {
			t.Errorf("%s is open to others: %s", path, what)
		}
	}
}

// The picture taken first is the one that counts.
func TestKeptOnce(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image"})
	h := m.Host()
	keep(t, h, "/etc/a", "")
	m.Put("/etc/a", "ours", 0o644)
	r, err := originals.Look(h, "/etc/a", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := originals.Keep(h, r); err == nil {
		t.Error("kept a second time")
	}
	r, _, _ = originals.Get(h, "/etc/a")
	if data, _ := r.Bytes(); string(data) != "image" {
		t.Errorf("the original is %q", data)
	}
}

func TestOwner(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image"})
	h := m.Host()
	set := func(id, want string) {
		t.Helper()
		err := originals.SetOwner(h, id)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("SetOwner(%q) = %v, want %q", id, err, want)
		}
	}
	set("a\nb", "no instance id")
	set("i-1", "")
	if o := load(t, h).Owner(); o != "" {
		t.Errorf("nothing is kept, and it belongs to %q", o)
	}
	set("i-2", "") // nothing is kept yet
	keep(t, h, "/etc/a", "")
	m.Forget()
	set("i-2", "")
	if m.Writes() != 0 {
		t.Errorf("the same owner was written again: %v", m.Effects())
	}
	set("", "") // nobody can tell whose machine it is: it stays i-2's
	if o := load(t, h).Owner(); o != "i-2" {
		t.Errorf("it belongs to %q", o)
	}
	set("i-3", "belong to i-2, not to i-3; put the originals back first")
	if err := originals.Forget(h, "/etc/a"); err != nil {
		t.Fatal(err)
	}
	set("i-3", "")
	if err := originals.KeepHostname(h, "before"); err != nil {
		t.Fatal(err)
	}
	set("i-4", "belong to i-3")
}

// The name of the owner may not have come to the disk before the power went.
// What was kept by then says whose it is.
func TestOwnerOutlastsAPowerCut(t *testing.T) {
	for _, torn := range []string{"-", "", "i-"} {
		m := hosttest.New(t, map[string]string{"/etc/a": "image"})
		h := m.Host()
		if err := originals.SetOwner(h, "i-1"); err != nil {
			t.Fatal(err)
		}
		keep(t, h, "/etc/a", "")
		if err := h.Remove(originals.Dir + "/owner"); err != nil {
			t.Fatal(err)
		}
		if torn != "-" {
			m.Put(originals.Dir+"/owner", torn, 0o600)
		}
		if o := load(t, h).Owner(); o != "i-1" {
			t.Errorf("with %q in its file the owner is %q", torn, o)
		}
		if err := originals.SetOwner(h, "i-2"); err == nil {
			t.Errorf("with %q in its file another owner was set", torn)
		}
		if err := originals.SetOwner(h, "i-1"); err != nil {
			t.Error(err)
		}
	}
}

// What was kept before anybody could tell whose machine it is belongs to whoever
// it then turns out to be, also after a power cut.
func TestOwnerThatIsKnownLater(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "image", "/etc/b": "image"})
	h := m.Host()
	keep(t, h, "/etc/a", "")
	m.Forget()
	if err := originals.SetOwner(h, "i-1"); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(m.Points(), "sync:"+originals.Dir+" done") {
		t.Error("the owner may be lost, and no record knows him")
	}
	r, _, err := originals.Get(h, "/etc/a")
	if err != nil {
		t.Fatal(err)
	}
	if err := originals.Update(h, r); err != nil {
		t.Fatal(err)
	}
	if r, _, _ := originals.Get(h, "/etc/a"); r.Owner != "i-1" {
		t.Errorf("the record's owner is %q", r.Owner)
	}
}

// What an earlier version kept, in another form, is not passed over: our own
// file would be taken for the image's.
func TestAnEarlierFormIsSaid(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "ours", originals.Dir + "/%2Fetc%2Fa.json": "{}"})
	h := m.Host()
	s, err := originals.Load(h)
	if err == nil || !strings.Contains(err.Error(), "earlier version") || s.Empty() {
		t.Errorf("%v, %v", s.List(), err)
	}
	if err := originals.SetOwner(h, "i-1"); err == nil {
		t.Error("owned by somebody, although nobody can tell what is kept")
	}
	r, err := originals.Look(h, "/etc/a", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := originals.Keep(h, r); err == nil || !strings.Contains(err.Error(), "earlier version") {
		t.Errorf("%v", err)
	}
}

// What could be kept and never be read again is not kept, and so not replaced.
func TestWhatIsTooLargeIsNotKept(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": strings.Repeat("x", host.MaxFile-1), "/etc/b": strings.Repeat("x", host.MaxFile-200<<10)})
	h := m.Host()
	if _, err := originals.Look(h, "/etc/a", false); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("%v", err)
	}
	keep(t, h, "/etc/b", "")
	r, _, err := originals.Get(h, "/etc/b")
	if err != nil {
		t.Fatal(err)
	}
	r.Edits = []originals.Edit{{Kind: "block", Data: []byte(`"` + strings.Repeat("y", 300<<10) + `"`)}}
	if err := originals.Update(h, r); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if _, _, err := originals.Get(h, "/etc/b"); err != nil {
		t.Errorf("what was kept is lost: %v", err)
	}
}

func TestHostnameIsKeptOnce(t *testing.T) {
	h := hosttest.New(t, nil).Host()
	for _, name := range []string{"first", "second"} {
		if err := originals.KeepHostname(h, name); err != nil {
			t.Fatal(err)
		}
	}
	if s := load(t, h); s.Hostname() != "first" || s.Empty() || len(s.List()) != 0 {
		t.Errorf("%q, %v", s.Hostname(), s.List())
	}
	if err := originals.ForgetHostname(h); err != nil {
		t.Fatal(err)
	}
	if s := load(t, h); !s.Empty() {
		t.Error("not forgotten")
	}
}

// One record that cannot be read does not hide the others.
func TestLoadTellsOfEachBrokenRecord(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "x",
		originals.Dir + "/%2Fetc%2Fb.original": "{", originals.Dir + "/%2Fetc%2Fc.original": "[]"})
	h := m.Host()
	if s := load(t, hosttest.New(t, nil).Host()); !s.Empty() {
		t.Error("a machine without the folder keeps something")
	}
	s, err := originals.Load(h)
	if err == nil || !strings.Contains(err.Error(), "%2Fb.original") || !strings.Contains(err.Error(), "%2Fc.original") {
		t.Errorf("%v", err)
	}
	want := []originals.Entry{{Path: "/etc/b"}, {Path: "/etc/c"}}
	if d := cmp.Diff(want, s.List()); d != "" || s.Empty() {
		t.Errorf("what is not the image's own:\n%s", d)
	}
	if err := originals.SetOwner(h, "i-1"); err == nil {
		t.Error("owned by somebody else although nobody can tell what is kept")
	}
}

// What is kept of a path is one file, from which a person without this program
// gets the image's own by tail alone.
func TestTheBytesFollowTheRecord(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "one\ntwo\n", "/etc/l": "-> a"})
	h := m.Host()
	keep(t, h, "/etc/a", "resolver", originals.Edit{Kind: "one", Data: []byte("{\n \"a\": 1}")})
	keep(t, h, "/etc/l", "naming")
	for path, want := range map[string]string{"/etc/a": "one\ntwo\n", "/etc/l": ""} {
		_, bytes, _ := strings.Cut(m.Read(originals.Dir+"/"+originals.Name(path)+".original"), "\n")
		if bytes != want {
			t.Errorf("behind the first line of %s are %q, want %q", path, bytes, want)
		}
	}
	r, _, err := originals.Get(h, "/etc/a")
	if err != nil {
		t.Fatal(err)
	}
	r.Concern = "naming"
	if err := originals.Update(h, r); err != nil {
		t.Fatal(err)
	}
	if r, _, err = originals.Get(h, "/etc/a"); err != nil || r.Concern != "naming" {
		t.Errorf("%+v, %v", r, err)
	}
	if data, err := r.Bytes(); string(data) != "one\ntwo\n" || err != nil {
		t.Errorf("after an update the bytes are %q, %v", data, err)
	}
}

func TestNamesAreSafe(t *testing.T) {
	long := "/" + strings.Repeat("%", 100) + "/x"
	seen := map[string]string{}
	for _, p := range []string{"/owner", "/hostname", "/a/b", "/a%2Fb", "/..", "/.", "/ü\n", long, long + "y", "/a.json"} {
		n := originals.Name(p)
		if !fs.ValidPath(n) || path.Base(n) != n || len(n) > 200 || !strings.HasPrefix(n, "%2F") {
			t.Errorf("%q becomes %q", p, n)
		}
		if seen[n] != "" {
			t.Errorf("%q and %q are both %q", p, seen[n], n)
		}
		seen[n] = p
	}
}

func TestLookRefusesWhatCannotBePutBack(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/d/": "", "/etc/big": strings.Repeat("x", host.MaxFile+1)})
	for path, want := range map[string]string{"/etc/d": "neither a file nor a link", "/etc/big": "too large"} {
		if _, err := originals.Look(m.Host(), path, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
