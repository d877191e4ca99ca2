package guest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNothingIsRemovedThroughAMount(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can mount")
		}
		t.Skip("only root can mount")
	}
	dir, other := t.TempDir(), t.TempDir()
	kept := filepath.Join(other, "kept")
	if err := os.WriteFile(kept, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "tree", "dev")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(other, at, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if err := removeTree(filepath.Join(dir, "tree")); err == nil {
		t.Error("a tree with something mounted in it is removed")
	}
	if err := unix.Unmount(at, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if err := removeTree(filepath.Join(dir, "tree")); err != nil {
		t.Error(err)
	}
}
