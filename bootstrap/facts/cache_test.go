package facts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/integration/fakeimds"
)

const exampleID = "i-0123456789abcdef0"

// keptMachine is a machine that has kept a good crawl.
func keptMachine(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	h := machine(t, files)
	r := serve(t, fakeimds.Example(), "none")
	f := Gather(t.Context(), h, options(r.URL))
	if err := Keep(t.Context(), h, f); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestKeptForRootAlone(t *testing.T) {
	h := keptMachine(t, nil)
	for path, want := range map[string]os.FileMode{CachePath(exampleID): 0o600, filepath.Dir(CachePath(exampleID)): 0o700} {
		i, err := h.Stat(path)
		if err != nil || i.Mode.Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", path, i.Mode.Perm(), err, want)
		}
	}
}

func TestWhoseCacheIsBelieved(t *testing.T) {
	const boot, dmi = bootIDPath, assetTagPath
	for name, c := range map[string]struct {
		kept, now map[string]string // files when it was kept, and when IMDS is dead
		more      string            // another folder of an instance
		want      Source
	}{
		"DMI names it":                 {now: map[string]string{dmi: exampleID + "\n"}, want: FromCache},
		"DMI names it, another boot":   {kept: map[string]string{boot: "a"}, now: map[string]string{dmi: exampleID, boot: "b"}, want: FromCache},
		"DMI names another":            {kept: map[string]string{boot: "a"}, now: map[string]string{dmi: "i-0ffffffffffffffff", boot: "a"}, want: FromNone},
		"nothing names it, same boot":  {kept: map[string]string{boot: "a"}, now: map[string]string{boot: "a"}, want: FromCache},
		"nothing names it, next boot":  {kept: map[string]string{boot: "a"}, now: map[string]string{boot: "b"}, want: FromNone},
		"nothing names it, no boot id": {want: FromNone},
		"nothing names it, two kept":   {kept: map[string]string{boot: "a"}, now: map[string]string{boot: "a"}, more: "i-0aaaaaaaaaaaaaaaa", want: FromNone},
		"DMI names it, two kept":       {now: map[string]string{dmi: exampleID}, more: "i-0aaaaaaaaaaaaaaaa", want: FromCache},
	} {
		t.Run(name, func(t *testing.T) {
			h := keptMachine(t, c.kept)
			for path, data := range c.now {
				put(t, h.Root(), path, data)
			}
			if c.more != "" {
				put(t, h.Root(), CachePath(c.more), "{}")
			}
			dead := serve(t, fakeimds.Example(), "403")
			o := options(dead.URL)
			o.Now = func() time.Time { return noon.Add(time.Hour) }
			f := Gather(t.Context(), h, o)
			if f.Source != c.want {
				t.Fatalf("source %s, want %s; problems %+v", f.Source, c.want, f.Problems)
			}
			if len(f.Problems) == 0 || f.Problems[0].Reason != Forbidden {
				t.Errorf("problems %+v: that IMDS failed must be told", f.Problems)
			}
			if c.want == FromNone {
				if f.Instance.ID.IsKnown() || f.Instance.Tags.IsAbsent() {
					t.Errorf("id %v, tags %v", f.Instance.ID, f.Instance.Tags)
				}
				return
			}
			if age := f.Now.Sub(f.Read); age != time.Hour || f.Instance.ID.Or("") != exampleID || len(f.UserData.Parts) != 1 {
				t.Errorf("age %v, id %v, user-data %+v", age, f.Instance.ID, f.UserData)
			}
		})
	}
}

func TestHalfACrawlIsNotMixedWithTheKept(t *testing.T) {
	h := keptMachine(t, nil)
	now := fakeimds.Example()
	now.Zone = "us-east-1b"
	r := serveFault(t, now, fakeimds.Fault{Path: "meta-data/tags", Act: fakeimds.Status(403)})
	f := Gather(t.Context(), h, options(r.URL))
	if f.Source != FromCache || f.Instance.Zone.Or("") != "us-east-1a" || f.Instance.Tags.Or(nil)["role"] != "mysql" {
		t.Errorf("source %s, zone %v, tags %v", f.Source, f.Instance.Zone, f.Instance.Tags)
	}
	// Without a kept crawl the answers stand, and the tags are unknown, not absent.
	f = Gather(t.Context(), machine(t, nil), options(r.URL))
	if why, _ := f.Instance.Tags.Why(); f.Source != FromIMDS || why != Forbidden || f.Instance.Zone.Or("") != "us-east-1b" {
		t.Errorf("source %s, tags %v, zone %v", f.Source, f.Instance.Tags, f.Instance.Zone)
	}
}

func TestKeepWritesOnlyNews(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	writes := 0
	h, err := host.New(host.Options{Root: t.TempDir(), Hook: func(point string) {
		if strings.HasPrefix(point, "write:") && strings.HasSuffix(point, " done") {
			writes++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(name string, at time.Time, want int) {
		t.Helper()
		o := options(r.URL)
		o.Now = func() time.Time { return at }
		writes = 0
		if err := Keep(t.Context(), h, Gather(t.Context(), h, o)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if writes != want {
			t.Errorf("%s: %d writes, want %d", name, writes, want)
		}
	}
	keep("first", noon, 1)
	keep("the same again", noon.Add(time.Minute), 0)
	keep("a day later", noon.Add(25*time.Hour), 1)
	keep("the clock went back", noon, 1)
	i := fakeimds.Example()
	i.Tags["role"] = "kafka"
	r.Server.Set(i)
	keep("another tag", noon.Add(time.Minute), 1)
	put(t, h.Root(), bootIDPath, "b")
	keep("another boot", noon.Add(time.Minute), 1)
	put(t, h.Root(), CachePath(exampleID), "not JSON")
	keep("what was kept is broken", noon.Add(time.Minute), 1)
	r.Server.Inject(fakeimds.Fault{Path: "security-groups", Act: fakeimds.Status(403)})
	keep("a crawl that is not good", noon.Add(48*time.Hour), 0)
}

func TestABrokenCacheIsTold(t *testing.T) {
	for name, data := range map[string]string{
		"not JSON":         "{",
		"another version":  `{"version": 2}`,
		"another instance": `{"version": 1, "instance": {"id": {"value": "i-0ffff"}}}`,
		"unknown field":    `{"version": 1, "colour": "blue"}`,
	} {
		t.Run(name, func(t *testing.T) {
			h := machine(t, map[string]string{assetTagPath: exampleID, CachePath(exampleID): data})
			dead := serve(t, fakeimds.Example(), "403")
			f := Gather(t.Context(), h, options(dead.URL))
			last := f.Problems[len(f.Problems)-1]
			if f.Source != FromNone || last.Path != CachePath(exampleID) || last.Reason != Unreadable {
				t.Errorf("source %s, problems %+v", f.Source, f.Problems)
			}
		})
	}
}

func TestKeepStaysInItsFolder(t *testing.T) {
	f := Facts{Source: FromIMDS}
	f.Instance = Instance{ID: Known("../../etc"), Region: Known("a"), Zone: Known("a"), Hostname: Known("a"), LocalHostname: Known("a"),
		PublicHostname: Absent[string](), PrivateIP: Absent[string](), SecurityGroups: Absent[[]string](),
		Interfaces: Absent[[]Interface](), Tags: Absent[map[string]string]()}
	f.UserData.State = Absent[Digest]()
	if err := Keep(t.Context(), machine(t, nil), f); err == nil {
		t.Error("an id that is a path was kept")
	}
}
