package integration_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reveille/integration/fakeimds"
)

// The bars of the agent as ratios and sizes. None is a test of time: a machine
// that is busy with something else must not fail a build. docs/figures.md has
// the last figures.

// BenchmarkSize is what is downloaded to each instance and loaded on each boot.
func BenchmarkSize(b *testing.B) {
	for _, name := range []string{"reveille", "reveille-coordinator"} {
		info, err := os.Stat(filepath.Join(binDir, name))
		if err != nil {
			b.Fatal(err)
		}
		row(b, name, "MiB", float64(info.Size())/(1<<20))
	}
}

// BenchmarkStart sets `reveille version` against a program that does nothing,
// and against one that has an HTTP client, turn by turn.
func BenchmarkStart(b *testing.B) {
	arms := [][]string{
		{program(b, "empty")},
		{program(b, "http")},
		{filepath.Join(binDir, "reveille"), "version"},
	}
	took := make([][]float64, len(arms))
	for range b.N * 300 {
		for i, args := range arms {
			cmd := exec.Command(args[0], args[1:]...)
			took[i] = append(took[i], wall(b, cmd))
		}
	}
	empty, http, version := median(took[0]), median(took[1]), median(took[2])
	row(b, "empty", "ms", empty)
	row(b, "http", "ms", http, "of-empty", http/empty)
	row(b, "version", "ms", version, "of-empty", version/empty)
}

// BenchmarkMemory is the peak of a whole process, and of one that does nothing.
func BenchmarkMemory(b *testing.B) {
	peak := program(b, "peak")
	mib := func(env []string, args ...string) float64 {
		cmd := exec.Command(peak, args...)
		cmd.Env = env
		kib, err := strconv.ParseFloat(strings.TrimSpace(output(b, cmd)), 64)
		if err != nil {
			b.Fatal(err)
		}
		return kib / 1024
	}
	var nothing, version, first, second []float64
	for range b.N * 9 {
		m := newBenchMachine(b, "null")
		nothing = append(nothing, mib(nil, program(b, "empty")))
		version = append(version, mib(nil, filepath.Join(binDir, "reveille"), "version"))
		first = append(first, mib(m.env, m.boot()...))
		second = append(second, mib(m.env, m.boot()...))
	}
	row(b, "empty", "MiB", median(nothing))
	row(b, "version", "MiB", median(version))
	row(b, "first-pass", "MiB", median(first))
	row(b, "second-pass", "MiB", median(second))
}

// benchMachine is a fresh Debian machine that takes the example role mysql
// from a metadata service on loopback.
type benchMachine struct {
	root string
	env  []string
	imds *fakeimds.Running
}

// newBenchMachine makes one whose local file sets the coordinator to a YAML
// value: the example's own is an address of somebody's network.
func newBenchMachine(b *testing.B, coordinator string) benchMachine {
	b.Helper()
	imds, err := fakeimds.Open("127.0.0.1:0", fakeimds.Example(), fakeimds.Fault{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { imds.Close() })
	root := filepath.Join(b.TempDir(), "root")
	if err := os.CopyFS(root, os.DirFS(filepath.Join(caseDir(), "testdata", "machines", "debian"))); err != nil {
		b.Fatal(err)
	}
	local := filepath.Join(root, "etc/reveille/local.yaml")
	if err := os.MkdirAll(filepath.Dir(local), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(local, []byte("coordinator: "+coordinator+"\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	return benchMachine{root, []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + imds.URL}, imds}
}

// boot is the command line of a pass on the machine.
func (m benchMachine) boot() []string {
	return []string{filepath.Join(binDir, "reveille"), "boot", "--json", "--root", m.root,
		"--roles", filepath.Join(caseDir(), "..", "packaging", "examples", "roles.d")}
}

// programs are the built ones of testdata/programs.
var programs = map[string]string{}

func program(b *testing.B, name string) string {
	b.Helper()
	if programs[name] == "" {
		out := filepath.Join(binDir, "bench-"+name)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./testdata/programs/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		output(b, cmd)
		programs[name] = out
	}
	return programs[name]
}

// output is what a command prints; its failure ends the benchmark.
func output(b *testing.B, cmd *exec.Cmd) string {
	b.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &stderr)
	}
	return string(out)
}

// wall is how long a whole process takes, in milliseconds. Its output goes
// nowhere, so that no reading of it is counted.
func wall(b *testing.B, cmd *exec.Cmd) float64 {
	b.Helper()
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v", cmd.Args, err)
	}
	return float64(time.Since(start).Microseconds()) / 1000
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// row prints figures that have been taken, a unit before each, as a benchmark
// of their own: without the column that would tell how long the taking took.
func row(b *testing.B, name string, figures ...any) {
	b.Run(name, func(b *testing.B) {
		for i := 0; i < len(figures); i += 2 {
			b.ReportMetric(figures[i+1].(float64), figures[i].(string))
		}
		b.ReportMetric(0, "ns/op")
	})
}
