package integration_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/guest"
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

// wordDebian installs Debian's own packages that the image has not, maintainer
// scripts and all.
func wordDebian(ts *testscript.TestScript, neg bool, packages []string) {
	s := theStage(ts)
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(powerWithin))
	defer cancel()
	files, err := debianFiles(packages)
	ts.Check(err)
	for _, f := range files {
		ts.Check(s.machine.Put(ctx, f))
	}
	r, err := s.machine.Run(ctx, "sh", "-ec", installDebs)
	judge(ts, neg, 0, r, err)
}

var errNoDebs = errors.New("no packages there: integration/scripts/packages")

// debianFiles are packages of Debian's with what each needs, as files of a machine.
func debianFiles(packages []string) (files []guest.File, err error) {
	for _, p := range packages {
		all, err := filepath.Glob(filepath.Join(debs, p, "*.deb"))
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("%s: %w", filepath.Join(debs, p), errNoDebs)
		}
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			data, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			files = append(files, guest.File{Path: "/root/debs/" + filepath.Base(f), Data: data})
		}
	}
	return files, nil
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
