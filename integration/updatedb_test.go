package integration_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// The real updatedb reads what is edited: it leaves out what a role names and
// what its package named before, finds everything else, and finds all of it
// again once the role does not ask any more.
func TestUpdatedbReadsTheEditedLists(t *testing.T) {
	t.Parallel()
	c := startContainer(t)
	c.install(filepath.Join(binDir, "reveille"), "/usr/local/bin/reveille")
	c.debian("plocate")
	c.imds(t)
	c.must("sh", "-ec", `
		mkdir -p /srv/data /srv/data2 /srv/ram /srv/tmp
		mount -t ramfs none /srv/ram
		mount -t tmpfs none /srv/tmp
		touch /srv/data/needle /srv/data2/needle /srv/ram/needle /srv/tmp/needle`)
	found := func() string {
		t.Helper()
		c.must("updatedb.plocate", "--database-root", "/srv", "--output", "/run/db", "--prune-bind-mounts", "no")
		return strings.Join(strings.Fields(c.must("sh", "-c", "plocate -d /run/db -b '\\needle' | sort")), " ")
	}
	image := c.must("cat", "/etc/updatedb.conf")
	if got := found(); got != "/srv/data/needle /srv/data2/needle /srv/ram/needle" {
		t.Fatalf("before a pass it finds %s", got)
	}
	c.put("/etc/reveille/roles.d/mysql.yaml", "role: mysql\nupdatedb: {filesystems: [ramfs, nfs4], paths: [/srv/data]}\n", 0o644)
	c.must("reveille", "boot")
	if got := found(); got != "/srv/data2/needle" {
		t.Errorf("after a pass it finds %s; the file is\n%s", got, c.must("cat", "/etc/updatedb.conf"))
	}
	c.must("reveille", "restore")
	if got := c.must("cat", "/etc/updatedb.conf"); got != image {
		t.Errorf("the package's file did not come back:\n%s", got)
	}
}
