package roles

import (
	"bytes"
	"flag"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/plan/plantest"
	"reveille/bootstrap/resource"
)

var update = flag.Bool("update", false, "write the golden files anew; read what changed before you commit it")

// cases are the folders below testdata that hold a machine: facts.json, its
// role files in roles.d, perhaps a local.yaml, and the plan that comes of it.
// A machine becomes a case by `reveille debug facts --json > facts.json`.
func cases(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("testdata/*/facts.json")
	if err != nil || len(found) == 0 {
		t.Fatalf("no case below testdata: %v", err)
	}
	for i, f := range found {
		found[i] = filepath.Dir(f)
	}
	return found
}

// loadCase reads a machine's facts and documents, under the names that they
// would have on it.
func loadCase(t *testing.T, dir string) (facts.Facts, []Source) {
	t.Helper()
	r, err := os.Open(filepath.Join(dir, "facts.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := facts.Load(r)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "roles.d", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var sources []Source
	for _, file := range files {
		name := path.Join("/etc/reveille/roles.d", filepath.Base(file))
		sources = append(sources, Source{Layer: RoleFile, Name: name, Data: read(t, file)})
	}
	if local := filepath.Join(dir, "local.yaml"); exists(local) {
		sources = append(sources, Source{Layer: Local, Name: "/etc/reveille/local.yaml", Data: read(t, local)})
	}
	return f, sources
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func planCase(t *testing.T, dir string) plan.Plan {
	t.Helper()
	f, sources := loadCase(t, dir)
	p, err := Resolve(f, sources)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := Plan(f, p)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestGoldenPlans(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := []byte(plantest.Describe(planCase(t, dir)))
			file := filepath.Join(dir, "plan.golden")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, file); !bytes.Equal(want, got) {
				t.Errorf("%s (go test ./roles -run Golden -update writes it anew)", diff.Diff(file, want, "now", got))
			}
		})
	}
}

// The same facts and documents give the same plan, in whatever order a map
// was walked, and planning leaves the facts as they were.
func TestPlanIsPure(t *testing.T) {
	for _, dir := range cases(t) {
		f, sources := loadCase(t, dir)
		again, _ := loadCase(t, dir)
		want := planCase(t, dir)
		p, err := Resolve(f, sources)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			got, err := Plan(f, p)
			if err != nil {
				t.Fatal(err)
			}
			if plantest.Describe(got) != plantest.Describe(want) || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: another plan from the same facts", dir)
			}
		}
		if !reflect.DeepEqual(f, again) {
			t.Errorf("%s: planning changed the facts", dir)
		}
	}
}

// Whatever the machine: what a file needs to be safe comes before it, and
// every step says who asked for it.
func TestEveryPlanKeepsTheOrder(t *testing.T) {
	for _, dir := range cases(t) {
		steps := planCase(t, dir)
		if err := steps.Validate(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		for _, s := range steps {
			if s.Why == "" || s.Concern == "" {
				t.Errorf("%s: %s has no reason or no concern", dir, s.ID())
			}
			switch s.ID() {
			case "hostname":
				if _, renamed := s.Resource.(resource.Hostname); renamed && !slices.Contains(s.Needs, "file:"+hostsPath) {
					t.Errorf("%s: the name changes before /etc/hosts knows it", dir)
				}
			case "file:" + nsswitchPath:
				if len(s.Needs) == 0 {
					t.Errorf("%s: nsswitch.conf does not wait for its client's file", dir)
				}
			}
		}
	}
}
