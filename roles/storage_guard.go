package roles

import (
	"path"
	"strings"

	"reveille/bootstrap/resource"
	"reveille/bootstrap/storage"
)

// mountIDs are the steps that the role's programs wait for.
func (p Profile) mountIDs() []string {
	if p.Storage == nil {
		return nil
	}
	var ids []string
	for _, m := range p.Storage.Mounts {
		ids = append(ids, storage.Mount{Path: m.Path}.ID())
	}
	return ids
}

// guardOf is the drop-in that keeps one of the role's units off the root disk,
// also where somebody enables it. It is a file, so that it holds in the next
// boot as well, before the agent runs.
func guardOf(p Profile, unit string) resource.File {
	var b strings.Builder
	b.WriteString(header("storage", p) + "[Unit]\n")
	for _, m := range p.Storage.Mounts {
		b.WriteString("AssertPathIsMountPoint=" + m.Path + "\n")
		b.WriteString("RequiresMountsFor=" + m.Path + "\n")
	}
	return resource.File{Path: path.Join("/etc/systemd/system", unit+".d", "50-reveille.conf"), Mode: 0o644, Content: []byte(b.String()), Concern: "storage", Reload: true}
}
