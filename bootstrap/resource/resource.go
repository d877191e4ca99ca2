// Package resource is what a plan can ask for, one file each. A resource looks
// (Check) and says what it would change; the changes do it. It knows the door
// to the machine (package host) and nothing of roles or facts: whatever decides
// is already in its fields. What lies on disks is package storage's.
package resource

import "io/fs"

// Editor changes some of a file that is not ours and leaves the rest byte for
// byte. It is plain data: it is kept beside the original as JSON, so that it
// can be undone when no plan names it any more.
type Editor interface {
	// Kind names the editor in the kept originals: "nsswitch", "block".
	Kind() string
	// Apply returns old with the edit made; applied twice it is the same.
	Apply(old []byte) ([]byte, error)
	// Undo takes the edit out of now, the present content, with the image's
	// own content at hand; what others have changed since stays.
	Undo(now, original []byte) ([]byte, error)
	// Describe says what the edit asks for, for golden plans.
	Describe() string
}

// File is a file with this content, or with this edit made. Its ID is
// "file:" + Path. Before the first change the image's own file (bytes, mode,
// owner, link target, or that it was absent) goes into the kept originals.
type File struct {
	Path    string            // absolute; a symbolic link there is replaced, unless Edit is set: an edit goes through it
	Mode    fs.FileMode       // permission bits; 0 keeps the present ones, 0644 for a new file
	Owner   string            // user name; "" is root (Edit: keeps the present one)
	Group   string            // group name; "" is root (Edit: keeps the present one)
	Content []byte            // the whole file, where Edit is nil
	Secrets map[string]string // placeholder in Content -> path of the file whose first line replaces it; masked in every diff
	Edit    Editor            // nil: Content is the whole file
	Concern string            // kept with the original, so that a section no longer asked for is undone
	Reload  bool              // a file of systemd's: it reads its files again once this one is written
}

// Original puts the image's own file back: a whole file from the kept
// original, an edited one by undoing the edit on what is there now. Its ID is
// "original:" + Path.
type Original struct{ Path string }

// Hostname is the kernel's live host name; its ID is "hostname". It is live:
// left out under another root.
type Hostname struct{ Name string }

// Unit is a systemd unit that has been started since its files last changed.
// Its ID is "unit:" + Name; it is live. A unit that does not run is left alone,
// unless Start is set.
type Unit struct {
	Name   string
	Reads  []File   // what it reads at its start
	Users  []string // local users, where it keeps at its start who is one; another list is a reason to restart it
	Start  bool     // start it where it is not running
	Reload bool     // a reload is enough, and does not disturb what runs
}
