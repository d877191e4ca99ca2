package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain makes this test binary a coordinator when a test starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("REVEILLE_COORDINATOR_TEST") == "main" {
		main()
	}
	os.Exit(m.Run())
}

func TestUsage(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	for args, c := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"":                                   {2, "", "no command given"},
		"frob":                               {2, "", `no command "frob"`},
		"version":                            {0, "reveille-coordinator devel go", ""},
		"version now":                        {2, "", "takes no argument"},
		"--help":                             {0, "loopback only", ""},
		"serve --help":                       {0, "loopback only", ""},
		"serve -h":                           {0, "loopback only", ""},
		"serve now":                          {2, "", "takes no argument"},
		"serve --frob":                       {2, "", "-frob"},
		"serve --log-level loud":             {2, "", "log-level"},
		"serve --listen 0.0.0.0:0":           {2, "", "0.0.0.0 is not a loopback address"},
		"serve --listen :8650":               {2, "", "every address"},
		"serve --listen 10.0.0.4:0":          {2, "", "no TLS and no authentication"},
		"serve --listen x":                   {2, "", "want HOST:PORT"},
		"serve --store etcd:http://10.0.0.4": {2, "", `store "etcd:http://10.0.0.4": this version has only`},
		"serve --store bolt:":                {2, "", "names no folder"},
		"serve --store bolt:" + blocked:      {1, "", "--store bolt:DIR names another"},
	} {
		if strings.HasPrefix(args, "serve --store") {
			args += " --listen 127.0.0.1:0"
		} else if strings.HasPrefix(args, "serve --listen") {
			args += " --store bolt:" + data
		}
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(args), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%q: exit %d, want %d\nstdout: %s\nstderr: %s", args, code, c.code, &stdout, &stderr)
		}
		if code == 0 && stderr.Len() > 0 || code == 2 && stdout.Len() > 0 {
			t.Errorf("%q: exit %d with\nstdout: %s\nstderr: %s", args, code, &stdout, &stderr)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("an address that was refused left a store behind")
	}
}

// The help names every flag with its default, and no other flag.
func TestHelpTellsTheTruth(t *testing.T) {
	for _, want := range []string{"--listen", defaultListen, "--store", defaultStore, "--log-level"} {
		if !strings.Contains(usage, want) {
			t.Errorf("the help lacks %s", want)
		}
	}
	for _, later := range []string{"etcd", "mtls", "/metrics", "/readyz", "wait"} {
		if strings.Contains(usage, later) {
			t.Errorf("the help promises %s", later)
		}
	}
}
