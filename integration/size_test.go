package integration_test

import (
	"os"
	"path/filepath"
	"testing"
)

// maxAgent bounds the stripped agent, in bytes. It is loaded on every boot of
// every instance; what doubles it is nearly always a dependency that ended the
// linker's dead-code elimination.
const maxAgent = 12 << 20

func TestTheAgentStaysSmall(t *testing.T) {
	info, err := os.Stat(filepath.Join(binDir, "reveille"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f MiB", float64(info.Size())/(1<<20))
	if info.Size() > maxAgent {
		t.Errorf("the agent has %.2f MiB, above %d: look at what the last dependency brought", float64(info.Size())/(1<<20), maxAgent>>20)
	}
}
