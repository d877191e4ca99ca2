package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/coordinator/api"
)

// A role that asks for no directory and no Ganglia any more gets the image's
// files back, and who has read ours reads them.
func TestASectionThatIsTakenOut(t *testing.T) {
	m := machine(t, thisID)
	m.Put("/usr/sbin/nscd", "", 0o755)
	image := m.Tree("/run", "/var")
	boot(t, m.Host(), crawl(thisID))
	before := len(m.Jobs())
	role, err := os.ReadFile("testdata/roles/mysql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	roles := t.TempDir()
	without, _, _ := strings.Cut(string(role), "directory:")
	if err := os.WriteFile(filepath.Join(roles, "mysql.yaml"), []byte(without), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs = []string{roles}
	out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
	if err != nil || out.Report.State != api.Ready {
		t.Fatalf("%v\n%s", err, text(out.Report))
	}
	now := m.Tree("/run", "/var")
	for _, path := range []string{"/etc/nsswitch.conf", "/etc/nslcd.conf", "/etc/ganglia/gmond.conf"} {
		if now[path] != image[path] {
			t.Errorf("%s was left: %s", path, now[path])
		}
	}
	for _, unit := range []string{"nslcd.service", "nscd.service", "ganglia-monitor.service"} {
		if !slices.Contains(m.Jobs()[before:], "try-restart "+unit) {
			t.Errorf("%s was not told: %q", unit, m.Jobs()[before:])
		}
	}
	if !strings.Contains(m.Read("/etc/resolv.conf"), "10.0.0.2") {
		t.Error("what is still asked for was undone")
	}
}

// A document that becomes wrong on day 2 refuses the whole pass and takes
// nothing back.
func TestADocumentThatBecomesWrongLeavesEveryFile(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	m.Put("/etc/reveille/local.yaml", "resolver: {timeout: 1}\nno_such_key: 1\n", 0o644)
	before := m.Tree("/run")
	out := boot(t, m.Host(), crawl(thisID))
	if !out.Report.Misconfigured || out.Report.State != api.Failed || len(out.Report.Errors) < 2 {
		t.Errorf("report:\n%s", text(out.Report))
	}
	if diff := cmp.Diff(before, m.Tree("/run")); diff != "" {
		t.Errorf("files changed (-before +after)\n%s", diff)
	}
}
