package plantest

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// thing is a resource that says only what a test wants it to say.
type thing struct{ id, text string }

func (r thing) ID() string                                               { return r.id }
func (r thing) Describe() string                                         { return r.text }
func (r thing) Check(context.Context, *host.Host) ([]plan.Change, error) { return nil, nil }

func TestDescribe(t *testing.T) {
	p := plan.Plan{
		{Resource: thing{id: "file:/etc/hosts", text: "edit: block naming\n10.0.0.7 dev-mysql01.acme.private dev-mysql01\n"}, Concern: "naming", Why: "hostname: user-data", Required: true},
		{Resource: thing{id: "hostname", text: "dev-mysql01"}, Concern: "naming", Needs: []string{"file:/etc/hosts"}, Why: "hostname: user-data", Required: true, Within: plan.DefaultWithin},
		{Resource: thing{id: "file:/etc/gmond.conf", text: "globals {\n\n}  \n"}, Concern: "ganglia", Needs: []string{"file:/etc/hosts", "hostname"}, Why: "ganglia: role mysql\n(/etc/reveille/roles.d/mysql.yaml)", Within: 2 * time.Minute},
		{Resource: thing{id: "raid:data"}, Concern: "storage", Needs: []string{"hostname"}, After: []string{"volumes:data", "volumes:log"}},
		{Resource: thing{id: "nothing to say"}},
	}
	got := Describe(p)
	golden := filepath.Join("testdata", "describe.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("text (-want +got):\n%s", d)
	}
	if Describe(nil) != "" {
		t.Error("an empty plan has something to say")
	}
}
