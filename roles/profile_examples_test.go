package roles

import (
	"os"
	"path/filepath"
	"testing"

	"reveille/bootstrap/facts"
)

// exampleMachines are what the comments of the example roles tell of.
var exampleMachines = []struct {
	role, host string
	change     []func(*facts.Facts)
}{
	{"dev", "dev-test01", []func(*facts.Facts){grouped("dev"), says("hostname=dev-test01")}},
	{"mysql", "dev-mysql01", []func(*facts.Facts){grouped("dev"), tagged("team", "data-eng", "service", "mysql", "Name", "dev-mysql01")}},
	{"kafka", "prod-kafka17", []func(*facts.Facts){says("hostname=prod-kafka17")}},
	{"java", "prod-app03", []func(*facts.Facts){grouped("java"), tagged("hostname", "prod-app03")}},
	{"web", "web-i-0123456789abcdef0", []func(*facts.Facts){grouped("web-blue")}},
	{"gateway", "", []func(*facts.Facts){says("role=gateway")}},
	{"build", "build-i-0123456789abcdef0", []func(*facts.Facts){grouped("build-arm")}},
}

func readAll(t testing.TB, layer Layer, glob string) []Source {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", glob, err)
	}
	var out []Source
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Source{layer, filepath.Base(f), data})
	}
	return out
}
