package storage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const bootIDPath = "/proc/sys/kernel/random/boot_id"

// How a tool does.
var (
	goesOn = host.TaskState{State: "activating"}
	well   = host.TaskState{State: "active"}
	badly  = host.TaskState{State: "failed", Result: "exit-code", Code: 3}
)

// inOrder says whether the points came, in this order and perhaps with others
// between.
func inOrder(points []string, want ...string) bool {
	for _, w := range want {
		i := slices.Index(points, w)
		if i < 0 {
			return false
		}
		points = points[i+1:]
	}
	return true
}

func isSo(t *testing.T, h *host.Host, r plan.Resource) {
	t.Helper()
	changes, err := r.Check(t.Context(), h)
	if err != nil {
		t.Fatalf("%s: %v", r.ID(), err)
	}
	if len(changes) > 0 {
		t.Errorf("%s: still to do: %s\n%s", r.ID(), changes[0].Say, changes[0].Diff)
	}
}

func readTest(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
