package logins

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// mount is a line of /proc/self/mounts.
type mount struct {
	source, path, kind string
	options            []string
	at                 cite.Place
}

// NetworkFilesystems are those whose server can go away under them.
var NetworkFilesystems = []string{
	"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "afs", "9p", "ncpfs", "ocfs2", "gfs2",
	"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs",
}

func (m mount) network() bool { return slices.Contains(NetworkFilesystems, m.kind) }

func parseMounts(text string) ([]mount, remarks) {
	var out []mount
	var notes remarks
	for _, l := range textLines("/proc/self/mounts", text, "") {
		f := strings.Fields(l.text)
		if len(f) < 4 {
			notes.add(l.at, "no mount: passed over")
			continue
		}
		out = append(out, mount{unescapeMount(f[0]), unescapeMount(f[1]), f[2], strings.Split(f[3], ","), l.at})
	}
	return out, notes
}

// unescapeMount reads the kernel's \040 for a blank and its like.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// mountOf is the mount that a path lies on: the longest, of equals the last,
// which covers the others.
func mountOf(mounts []mount, file string) (mount, bool) {
	var best mount
	found := false
	for _, m := range mounts {
		if below(file, m.path) && len(m.path) >= len(best.path) {
			best, found = m, true
		}
	}
	return best, found
}

// below says whether a path is another one or lies in it.
func below(file, folder string) bool {
	file, folder = path.Clean("/"+file), path.Clean("/"+folder)
	return file == folder || folder == "/" || strings.HasPrefix(file, folder+"/")
}

// nfsOptions are those that a hang turns on, with nfs(5)'s defaults for TCP.
type nfsOptions struct {
	soft    bool
	older   bool // NFS 3 or 2; where nothing says which it is, it may be 4, mount.nfs's default
	timeo   int  // tenths of a second
	retrans int
	retry   int // minutes that mount.nfs goes on trying
	text    string
}

// parseNFSOptions reads a comma list; of opposites the last counts. The kernel
// tells the version of each mount by vers=, and the kind nfs4 is what it is
// without one.
func parseNFSOptions(options []string) nfsOptions {
	o := nfsOptions{timeo: 600, retrans: 2, retry: 2, text: strings.Join(options, ",")}
	for _, word := range options {
		key, value, _ := strings.Cut(strings.TrimSpace(word), "=")
		switch key {
		case "soft", "softerr":
			o.soft = true
		case "hard":
			o.soft = false
		case "vers", "nfsvers":
			o.older = value == "3" || value == "2"
		case "v2", "v3":
			o.older = true
		case "v4", "v4.0", "v4.1", "v4.2":
			o.older = false
		case "timeo":
			o.timeo = max(1, atoi(value))
		case "retrans":
			o.retrans = max(0, atoi(value))
		case "retry":
			o.retry = max(0, atoi(value))
		}
	}
	return o
}
