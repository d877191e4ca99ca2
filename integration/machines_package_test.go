package integration_test

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// packed is our packages in two versions, made once a run at their first use.
type packed struct {
	once sync.Once
	dir  string
	err  error
}

var ourPackages packed

// wordPackages names them in the environment: $OLD and $NEW are the agent's
// 1.0.0 and 1.0.1, $COORDINATOR_OLD and $COORDINATOR_NEW the coordinator's.
func wordPackages(ts *testscript.TestScript, _ bool, _ []string) {
	ourPackages.once.Do(ourPackages.make)
	ts.Check(ourPackages.err)
	for version, when := range map[string]string{"1.0.0": "OLD", "1.0.1": "NEW"} {
		dir := filepath.Join(ourPackages.dir, version)
		ts.Setenv(when, filepath.Join(dir, "reveille_"+version+"_amd64.deb"))
		ts.Setenv("COORDINATOR_"+when, filepath.Join(dir, "reveille-coordinator_"+version+"_amd64.deb"))
	}
	ts.Setenv("EXAMPLES", filepath.Join(caseDir(), "..", "packaging", "cloud-init"))
}

func (d *packed) make() {
	// Below the commands, which go away with the run.
	if d.dir, d.err = os.MkdirTemp(binDir, "packages-"); d.err != nil {
		return
	}
	for _, version := range []string{"1.0.0", "1.0.1"} {
		if d.err == nil {
			d.err = makePackages(filepath.Join(d.dir, version), "VERSION="+version, "ARCHES=amd64")
		}
	}
}
