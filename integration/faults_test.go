package integration_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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
			if !whole[fault.Name] {
				refused(t, m, before, got)
			} else if got.State != api.Ready {
				t.Errorf("state %s, errors %v", got.State, got.Errors)
			}
		})
	}
}

// TestNoRouteChangesNoFile: the same where the kernel knows no way to EC2's
// own addresses.
func TestNoRouteChangesNoFile(t *testing.T) {
	needRoot(t, "make a network namespace")
	m := freshDebian(t)
	before := m.Tree("/run")
	cmd := bootCommand(m.Root, "", "3s")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	got := reportOf(t, cmd)
	refused(t, m, before, got)
	if all := strings.Join(got.Errors, "\n"); !strings.Contains(all, "no-route") {
		t.Errorf("errors: %s", all)
	}
}

// refused holds a pass that could not read what it decides by to its report
// and to the files as they were.
func refused(t *testing.T, m *hosttest.Machine, before map[string]string, got api.Report) {
	t.Helper()
	if got.State != api.Failed || len(got.Errors) == 0 {
		t.Errorf("state %s, errors %v: a failed read must refuse the pass and say why", got.State, got.Errors)
	}
	if diff := cmp.Diff(before, m.Tree("/run")); diff != "" {
		t.Errorf("a failed read changed files (-before +after)\n%s", diff)
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
	return reportOf(t, bootCommand(root, imds, within))
}

// bootCommand is a boot pass whose metadata service is at a URL, or at EC2's
// own addresses where that is empty.
func bootCommand(root, imds, within string) *exec.Cmd {
	roles := filepath.Join(caseDir(), "testdata", "roles")
	cmd := exec.Command(filepath.Join(binDir, "reveille"), "boot", "--json", "--root", root, "--roles", roles, "--imds-timeout", within)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="+imds)
	return cmd
}

func reportOf(t *testing.T, boot *exec.Cmd) api.Report {
	t.Helper()
	out, _ := boot.Output() // the report has the outcome
	var r api.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("the report: %v\n%s", err, out)
	}
	return r
}
