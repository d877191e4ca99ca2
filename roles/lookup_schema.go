package roles

import (
	"maps"
	"net/netip"
	"strings"
)

func nscdSchema() *schemaKey {
	return &schemaKey{name: "nscd", doc: "What nscd keeps of the name service's answers. Where sssd looks users up, it keeps no users, groups and services, whatever this says.", keys: []*schemaKey{
		{name: "databases", doc: "What is kept, of passwd, group, hosts and services; by default passwd and group.", is: oneOf("passwd", "group", "hosts", "services"), list: true},
		{name: "positive_ttl", doc: "How long an answer is kept: with every server dead, people stay known for so long.", is: someTime(), def: "10m"},
		{name: "negative_ttl", doc: "How long it is kept that a name does not exist, as a dead server says of every name: who is new, or whose server is back, stays unknown for so long.",
			is: wholeSeconds(60, ": who is new would be unknown for as long"), def: "5s"},
	}}
}

func autofsSchema() *schemaKey {
	return &schemaKey{name: "autofs", doc: "Homes on an NFS server, mounted when somebody enters one.", keys: []*schemaKey{
		{name: "path", doc: "The folder of the homes on this machine, which autofs hides; no local account's home may lie in it.", is: plainPath(), need: true},
		{name: "server", doc: "The NFS server, one: a name, which takes a name server to mount, or an address.", is: fileServer(), need: true},
		{name: "export", doc: "The folder on the server whose folders are the homes.", is: exportPath(), need: true},
		{name: "vers", doc: "NFS's version. With any but \"3\", whoever looks into a mounted home when its server is gone waits for the server's lease as well, 90 s by default.", is: nfsVersion(), def: "4.2"},
		{name: "soft", doc: "Give up on a dead server. A program that heeds no error of a write may lose it then; with false, whoever is in a home waits until the server is back.", is: yesNo(), def: "true"},
		{name: "timeo", doc: "How long an answer is waited for before it is asked for again.", is: wholeSeconds(60, ""), def: "2s"},
		{name: "retrans", doc: "How often it is asked for again; each time is waited for timeo longer than the one before.", is: wholeNumber(0, 5, ""), def: "1"},
		{name: "options", doc: "More mount options; by default nosuid and nodev.", is: nfsOption(), list: true},
		{name: "timeout", doc: "After how long without use a home is unmounted.", is: someTime(), def: "5m"},
		{name: "mount_wait", doc: "How long a mount may take, of this and every other map of autofs; a home that is mounted when its server goes is not bounded by it.", is: wholeSeconds(60, ": a login waits for it"), def: "5s"},
	}}
}

func updatedbSchema() *schemaKey {
	return &schemaKey{name: "updatedb", doc: "What locate's nightly walk leaves out, beside what updatedb.conf names already; the folder of autofs.path always.", keys: []*schemaKey{
		{name: "filesystems", doc: "Kinds of file systems; by default all that lie on another machine, and autofs.", is: filesystemKind(), list: true},
		{name: "paths", doc: "Folders.", is: plainPath(), list: true},
	}}
}

func filesystemKind() *scalarType {
	return word("a kind of file system such as nfs4", "[a-z0-9]", "[a-z0-9_.-]", 32)
}

// nfsVersion are those that Linux still speaks.
func nfsVersion() *scalarType { return oneOf("3", "4", "4.0", "4.1", "4.2") }

// plainPath is a path that means nothing more to autofs, updatedb or a shell:
// no blank, no & for a key, no $ for a variable.
func plainPath() *scalarType {
	const expr = `^(/[A-Za-z0-9._-]+)+$`
	t := filePath()
	plain := pattern("an absolute path of letters, digits, . _ and -", expr)
	t.want = plain.want
	t.schema["pattern"] = expr
	whole := t.check
	t.check = func(s string) error {
		if err := whole(s); err != nil {
			return err
		}
		return plain.check(s)
	}
	return t
}

// exportPath is such a path, or the root of what the server has.
func exportPath() *scalarType {
	t := plainPath()
	t.schema["pattern"] = `^(/|(/[A-Za-z0-9._-]+)+)$`
	plain := t.check
	t.check = func(s string) error {
		if s == "/" {
			return nil
		}
		return plain(s)
	}
	return t
}

// fileServer is a host name or an address.
func fileServer() *scalarType {
	ip, host := ipAddress(), hostNameType("host name")
	return &scalarType{want: "a host name or an address such as nas.acme.private or 10.0.0.9", shape: isText,
		schema: map[string]any{"type": "string", "anyOf": []any{maps.Clone(ip.schema), maps.Clone(host.schema)}},
		check: func(s string) error {
			if _, err := netip.ParseAddr(s); err == nil || strings.Contains(s, ":") {
				return ip.check(s)
			}
			return host.check(s)
		}}
}

// nfsOption is one mount option that has no key of its own here.
func nfsOption() *scalarType {
	return except("a mount option such as noatime or rsize=65536, and none of soft, softerr, hard, timeo, retrans, retry, vers, nfsvers, minorversion, fstype, bg and fg",
		`^[a-z][a-z0-9_-]*(=[A-Za-z0-9._:/@+-]+)?$`,
		`^(soft|softerr|hard|timeo|retrans|retry|vers|nfsvers|minorversion|fstype|bg|fg)(=|$)`)
}
