package roles

import (
	"os"
	"testing"

	"reveille/bootstrap/facts"
)

// BenchmarkDecide is all that is thought in a pass, without a look at the
// machine: from facts and the example role files to steps.
func BenchmarkDecide(b *testing.B) {
	file, err := os.Open("testdata/mysql-by-tag/facts.json")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	f, err := facts.Load(file)
	if err != nil {
		b.Fatal(err)
	}
	sources := readAll(b, RoleFile, "../packaging/examples/roles.d/*.yaml")
	b.ReportAllocs()
	for b.Loop() {
		p, err := Resolve(f, sources)
		if err != nil {
			b.Fatal(err)
		}
		if steps, err := Plan(f, p); err != nil || len(steps) == 0 {
			b.Fatal(steps, err)
		}
	}
}
