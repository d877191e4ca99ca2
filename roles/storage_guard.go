package roles

import (
	"path"
	"strings"

	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
)

// mountIDs are the steps that the role's programs wait for: the mounts, and what
// tags ask for and is held back, as it may be what they should write to.
func (p Profile) mountIDs() []string {
	if p.Storage == nil {
		return nil
	}
	var ids []string
	for _, m := range p.Storage.Mounts {
		ids = append(ids, storage.Mount{Path: m.Path}.ID())
	}
	for _, h := range p.Storage.Held {
		if !h.Beside {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

// mountPaths are where they are mounted, or would be.
func (p Profile) mountPaths() []string {
	if p.Storage == nil {
		return nil
	}
	var paths []string
	for _, m := range p.Storage.Mounts {
		paths = append(paths, m.Path)
	}
	for _, h := range p.Storage.Held {
		if h.Path != "" {
			paths = append(paths, h.Path)
		}
	}
	return paths
}

// missesDisks says that something is held back of which nobody knows where it
// would be mounted.
func (p Profile) missesDisks() bool {
	if p.Storage == nil {
		return false
	}
	for _, h := range p.Storage.Held {
		if !h.Beside && h.Path == "" {
			return true
		}
	}
	return false
}

// allKnown is never there: whoever starts a unit in spite of what is held back
// reads its name.
const allKnown = "/run/reveille/all-disks-are-known"

// guardOf is the drop-in that keeps one of the role's units off the root disk,
// also where somebody enables it. It is a file, so that it holds in the next
// boot as well, before the agent runs.
func guardOf(p Profile, unit string) resource.File {
	var b strings.Builder
	b.WriteString(header("storage", p) + "[Unit]\n")
	for _, at := range p.mountPaths() {
		b.WriteString("AssertPathIsMountPoint=" + at + "\n")
		b.WriteString("RequiresMountsFor=" + at + "\n")
	}
	if p.missesDisks() {
		b.WriteString("AssertPathExists=" + allKnown + "\n")
	}
	return resource.File{Path: path.Join("/etc/systemd/system", unit+".d", "50-reveille.conf"), Mode: 0o644, Content: []byte(b.String()), Concern: "storage", Reload: true}
}
