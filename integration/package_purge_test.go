package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A purge takes away what can be made again, and never the only copy of
// something, whichever of those there is and wherever dpkg runs the script.
func TestPurgeKeepsWhatHasNoOtherCopy(t *testing.T) {
	script, err := os.ReadFile("../packaging/scripts/postrm")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		there string
		stays bool
	}{
		{"originals/%2Fetc%2Fhosts.original", true},
		{"originals/hostname", true},
		{"saved/%2Fetc%2Fresolv.conf.1", true},
		{"instances/i-0123456789abcdef0/facts.json", false},
	} {
		t.Run(c.there, func(t *testing.T) {
			root := t.TempDir()
			kept := filepath.Join(root, "var/lib/reveille", c.there)
			if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(kept, []byte("bytes"), 0o644); err != nil {
				t.Fatal(err)
			}
			own := strings.NewReplacer("/var/lib/", root+"/var/lib/", "/run/", root+"/run/").Replace(string(script))
			purge := exec.CommandContext(t.Context(), "sh", "-c", own, "postrm", "purge")
			purge.Dir = "/" // as dpkg does
			said, err := purge.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			_, err = os.Stat(kept)
			if stays := err == nil; stays != c.stays {
				t.Errorf("kept: %v, want %v", stays, c.stays)
			}
			if names := strings.Contains(string(said), kept); names != c.stays {
				t.Errorf("named: %v, want %v: %s", names, c.stays, said)
			}
		})
	}
}
