package roles

import (
	"fmt"
	"strings"

	"reveille/roles/cite"
)

// taggable says what a role file may ask for and a tag may not: whoever may tag
// and attach a volume would become the machine's administrator by it.
func taggable(k *schemaKey, text string) error {
	switch {
	case k.name == "path" && !taggablePath(text):
		return fmt.Errorf("tags mount nothing on %s, where programs, accounts or jobs may lie: a folder of its own such as /data, one below /srv, /mnt, /media or /opt, or one right in /var/lib, /var/log or /var/cache is wanted; a role file may name others", cite.Quote(text))
	case k.name == "options" && privileged(text):
		return fmt.Errorf("tags do not set the mount option %s: a role file may", cite.Quote(text))
	}
	return nil
}

// taggablePath is of a path that a role file could mount on.
func taggablePath(path string) bool {
	top, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch top {
	case "home", "usr", "tmp":
		return false
	case "var":
		kind, name, _ := strings.Cut(rest, "/")
		return (kind == "lib" || kind == "log" || kind == "cache") && name != "" && !strings.Contains(name, "/")
	}
	return true
}

// privileged is of options that undo nosuid and nodev, or name another device or
// a security context.
func privileged(option string) bool {
	name, _, _ := strings.Cut(option, "=")
	switch name {
	case "suid", "dev", "logdev", "rtdev", "journal_dev", "journal_path", "context", "fscontext", "defcontext", "rootcontext":
		return true
	}
	return false
}
