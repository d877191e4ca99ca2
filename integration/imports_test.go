package integration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A rule says what a package, with all below it unless exact, may import of
// the project, and what it must not import of anything.
type rule struct {
	pkg   string
	may   []string // of the project, each with all below it
	never []string // of anything
	why   string
}

// rules is the direction of the house: every package must be under one of
// them, and the longest that fits counts.
var rules = []rule{
	{"cmd/reveille", []string{"agent", "roles", "bootstrap", "coordinator/api"}, nil, "flags and wiring"},
	{"cmd/reveille-coordinator", []string{"coordinator"}, nil, "flags and wiring; a coordinator runs on no instance, so it knows no agent"},
	{"agent", []string{"agent", "roles", "bootstrap", "coordinator/api"}, heavy, "WHEN; of the coordinator it knows the wire alone"},
	{"roles", []string{"roles/logins", "roles/cite", "bootstrap/facts", "bootstrap/plan", "bootstrap/resource", "bootstrap/storage", "bootstrap/userdata"}, append(slices.Clone(heavy), "os", "os/exec", "net/http", "io/ioutil"), "WHAT; pure, so that any machine can be replayed anywhere"},
	{"roles/logins", []string{"roles/cite", "roles/sudoers", "bootstrap/facts"}, append(slices.Clone(heavy), "os", "os/exec", "net/http", "io/ioutil"), "arithmetic over texts, whoever wrote them; of the facts it knows which words of a script were kept"},
	{"roles/sudoers", []string{"roles/cite", "bootstrap/facts"}, append(slices.Clone(heavy), "os", "os/exec", "net/http", "io/ioutil"), "rules as sudo reads them; of the facts it knows their lines"},
	{"roles/cite", nil, append(slices.Clone(heavy), "os", "os/exec", "net/http", "io/ioutil"), "a line's number and a word's quotes, of any text"},
	{"bootstrap/host", nil, heavy, "the door to the OS knows nothing of what comes through it"},
	{"bootstrap/host/hosttest", []string{"bootstrap/host"}, heavy, "a machine in a folder, for tests"},
	{"bootstrap/userdata", nil, append(slices.Clone(heavy), "os", "net/http"), "bytes in, parts out"},
	{"bootstrap/originals", []string{"bootstrap/host"}, heavy, "kept files are files, and no plan is needed to name them"},
	{"bootstrap/stack", nil, heavy, "a trick of the runtime's, and nothing else"},
	{"bootstrap/facts", []string{"bootstrap/host", "bootstrap/block", "bootstrap/userdata", "bootstrap/originals", "bootstrap/stack"}, heavy, "what is true does not depend on what is wanted"},
	{"bootstrap/probe", []string{"bootstrap/host"}, heavy, "asks servers whether they answer, and knows neither why nor for whom"},
	{"bootstrap/probe/probetest", []string{"bootstrap/host"}, heavy, "servers on loopback, for tests: who asks them is the test's"},
	{"bootstrap/block", []string{"bootstrap/host"}, heavy, "looks at devices, and knows neither what is wanted nor why"},
	{"bootstrap/plan", []string{"bootstrap/host"}, heavy, "data alone"},
	{"bootstrap/plan/plantest", []string{"bootstrap/plan"}, heavy, "a plan as text, for tests"},
	{"bootstrap/resource", []string{"bootstrap/host", "bootstrap/plan", "bootstrap/originals", "bootstrap/block"}, heavy, "whatever decides is already in the fields: no facts"},
	{"bootstrap/storage", []string{"bootstrap/host", "bootstrap/plan", "bootstrap/block"}, heavy, "resources of a role's disks: apart from files and units, as what they risk is data"},
	{"bootstrap/converge", []string{"bootstrap/host", "bootstrap/plan", "bootstrap/stack"}, heavy, "it walks any plan and knows no resource by name"},
	{"coordinator/api", nil, heavy, "the agent imports it: small, and no server"},
	{"coordinator/store", []string{"coordinator/api"}, nil, "keeps what was said"},
	{"coordinator/store/storetest", []string{"coordinator/api", "coordinator/store"}, nil, "one conformance test for every store"},
	{"coordinator/server", []string{"coordinator/api", "coordinator/store", "coordinator/server/page"}, nil, "answers"},
	{"coordinator/server/page", []string{"coordinator/api", "coordinator/store"}, nil, "draws what it is handed, and asks nobody"},
	{"packaging", nil, nil, "documents from documents: it runs no program, and so packs for any architecture"},
	{"integration", []string{"integration", "bootstrap", "roles", "agent", "coordinator"}, nil, "looks at everything, and nothing looks at it"},
}

// heavy is what costs the agent its size: reflection by method name ends the
// linker's dead-code elimination as soon as an AWS client is in an interface.
var heavy = []string{"text/template", "html/template", "go.etcd.io/bbolt"}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, "reveille/")
		r, ok := ruleFor(path)
		if !ok {
			t.Errorf("%s is under no rule: say in rules what it may import, and why", path)
			continue
		}
		for _, imp := range p.Imports {
			checkImport(t, path, imp, r)
		}
	}
}

func checkImport(t *testing.T, path, imp string, r rule) {
	t.Helper()
	if own, ok := strings.CutPrefix(imp, "reveille/"); ok {
		allowed := slices.ContainsFunc(r.may, func(m string) bool { return own == m || strings.HasPrefix(own, m+"/") })
		if !allowed {
			t.Errorf("%s imports %s, and may not: %s", path, own, r.why)
		}
		return
	}
	if slices.Contains(r.never, imp) {
		t.Errorf("%s imports %s, and may not: %s", path, imp, r.why)
	}
	if imp == "os/exec" && !strings.HasPrefix(path+"/", "bootstrap/host/") && !strings.HasPrefix(path, "integration") {
		t.Errorf("%s imports os/exec: bootstrap/host alone runs commands, so that --root can promise to run none", path)
	}
	if imp == "gopkg.in/yaml.v3" && path != "roles" {
		t.Errorf("%s imports gopkg.in/yaml.v3: roles alone does, so that a fork is one line away", path)
	}
}

// A clock needs no import of its own: durations come from the same package.
func TestRolesAskNoClock(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(caseDir(), "..", "roles", "*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files in roles: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := clock.FindString(string(text)); found != "" && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s asks %s: roles is pure, and what time it is comes with the facts", filepath.Base(file), found)
		}
	}
}

var clock = regexp.MustCompile(`\btime\.(Now|Since|Until|After|AfterFunc|Tick|Sleep|NewTimer|NewTicker)\b`)

func ruleFor(path string) (rule, bool) {
	var best rule
	for _, r := range rules {
		if (path == r.pkg || strings.HasPrefix(path, r.pkg+"/")) && len(r.pkg) > len(best.pkg) {
			best = r
		}
	}
	return best, best.pkg != ""
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "reveille/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 15 {
		t.Fatalf("go list names %d packages only", len(all))
	}
	return all
}
