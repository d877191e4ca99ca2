package integration_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
	"reveille/integration/fakeimds"
)

// whole are the faults in spite of which everything can be read; under any
// other the pass must be refused.
var whole = map[string]bool{"none": true, "401-once": true, "503x4": true, "slow": true, "token-expires": true, "tags-off": true}

// TestFaultsChangeNoFile boots a fresh machine under every fault of the
// metadata service: where a read failed, the pass says so and not a file of
// the machine has changed.
func TestFaultsChangeNoFile(t *testing.T) {
	for _, fault := range fakeimds.Named() {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			imds, err := fakeimds.Open("127.0.0.1:0", fakeimds.Example(), fault)
			if err != nil {
				t.Fatal(err)
			}
			defer imds.Close()
			m := freshDebian(t)
			before := m.Tree("/run")
			within := "3s" // a shorter bound than the default refuses the same pass sooner
			if whole[fault.Name] {
				within = "30s"
			}
			got := bootUnder(t, m.Root, imds.URL, within)
			after := m.Tree("/run")
			if whole[fault.Name] {
				if got.State != api.Ready {
					t.Errorf("state %s, errors %v", got.State, got.Errors)
				}
				return
			}
			if got.State != api.Failed || len(got.Errors) == 0 {
				t.Errorf("state %s, errors %v: a failed read must refuse the pass and say why", got.State, got.Errors)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("a failed read changed files (-before +after)\n%s", diff)
			}
		})
	}
}

// TestIPv6OnlyBoots: no IPv4 address, and IMDS on IPv6 alone.
func TestIPv6OnlyBoots(t *testing.T) {
	imds, err := fakeimds.Open("[::1]:0", fakeimds.IPv6Only(), fakeimds.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	defer imds.Close()
	m := freshDebian(t)
	got := bootUnder(t, m.Root, imds.URL, "30s")
	if got.State != api.Ready || got.Facts.PrivateIP == nil || *got.Facts.PrivateIP != "" {
		t.Errorf("state %s, errors %v, facts %+v", got.State, got.Errors, got.Facts)
	}
}

func freshDebian(t *testing.T) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, nil)
	if err := os.CopyFS(m.Root, os.DirFS(filepath.Join(caseDir(), "testdata", "machines", "debian"))); err != nil {
		t.Fatal(err)
	}
	return m
}

// bootUnder makes a boot pass and returns its report.
func bootUnder(t *testing.T, root, imds, within string) api.Report {
	t.Helper()
	roles := filepath.Join(caseDir(), "testdata", "roles")
	cmd := exec.Command(filepath.Join(binDir, "reveille"), "boot", "--json", "--root", root, "--roles", roles, "--imds-timeout", within)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="+imds)
	out, _ := cmd.Output() // the report has the outcome
	var r api.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("the report: %v\n%s", err, out)
	}
	return r
}
