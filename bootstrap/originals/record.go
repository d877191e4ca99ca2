// Package originals keeps what the image had before the agent changed it, so
// that every change can be taken back: on a restore, when a section is no
// longer asked for, and on a machine that was made from another's disk.
//
// It lies in /var/lib/reveille/originals, a folder for root alone:
//
//	owner                      the instance id that all of it belongs to; each
//	                           record has it, too
//	hostname                   the live host name before the first change
//	%2Fetc%2Fhosts.original    one Record a path: its first line, and then the
//	                           file's bytes, as they were (tail -n +2)
//
// It stores and finds; it must not know how a file is put back, nor what an
// edit means.
package originals

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"

	"reveille/bootstrap/host"
)

// Dir is where the originals are kept.
const Dir = "/var/lib/reveille/originals"

// Version of a record's form.
const Version = 2

const suffix = ".original"

// room is left for what a record says before its bytes, and will say, so that
// it can be read again as one file.
const room = 128 << 10

// State is what was at a path before the first change.
type State string

// The states.
const (
	Absent  State = "absent"
	Regular State = "file"
	Link    State = "link"
)

// Record says what a path was, and what has been done to it since. It has the
// bytes of a regular file, too: they are kept and forgotten as one.
type Record struct {
	Version int         `json:"version"`
	Path    string      `json:"path"`
	Target  string      `json:"target"` // the file that is changed: Path, or where its link led when an edit went through it
	Owner   string      `json:"owner"`  // instance id; "" where nobody could tell
	Concern string      `json:"concern"`
	State   State       `json:"state"`
	Mode    fs.FileMode `json:"mode"` // permission bits
	UID     int         `json:"uid"`
	GID     int         `json:"gid"`
	Link    string      `json:"link"`   // target of a symbolic link
	SHA256  string      `json:"sha256"` // of a regular file's bytes
	Made    []string    `json:"made"`   // folders that were missing, the outermost first
	Edits   []Edit      `json:"edits"`  // edits made, in order; none: the whole file is ours
	Attr    bool        `json:"attr"`   // an edit also set mode or owner
	Units   []string    `json:"units"`  // units that were started on our file, and are told when it goes back; "reload:" before those that are reloaded
	PAM     string      `json:"pam"`    // profile of PAM that goes back in force with it; "" for all but ours
	Wrote   []string    `json:"wrote"`  // digests of what we wrote as whole files, the latest last

	bytes []byte
}

// Edit is an editor in the form in which it is kept.
type Edit struct {
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Whole says that the whole file is ours, not an edit in it.
func (r Record) Whole() bool { return len(r.Edits) == 0 }

// Look takes the picture of a path as it is now, to be kept. With through, a link at the path is followed and
// the file behind it is the one pictured.
func Look(h *host.Host, path string, through bool) (Record, error) {
	r := Record{Version: Version, Path: path, Target: path, State: Absent}
	if through {
		target, err := h.Resolve(path)
		if err != nil {
			return Record{}, err
		}
		r.Target = target
	}
	i, err := h.Lstat(r.Target)
	if err != nil {
		return Record{}, err
	}
	if !i.Exists {
		return r, nil
	}
	r.Mode, r.UID, r.GID = i.Mode.Perm(), i.UID, i.GID
	switch {
	case i.Link != "":
		r.State, r.Link = Link, i.Link
		return r, nil
	case !i.Mode.IsRegular():
		return Record{}, fmt.Errorf("keep the original of %s: it is %v, neither a file nor a link; remove it by hand", path, i.Mode)
	}
	data, err := h.ReadFile(r.Target)
	if err != nil {
		return Record{}, err
	}
	if len(data) > host.MaxFile-room {
		return Record{}, fmt.Errorf("keep the original of %s: %w: %d bytes", path, host.ErrTooLarge, len(data))
	}
	r.State, r.SHA256, r.bytes = Regular, Digest(data), data
	return r, nil
}

// Digest names bytes.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// longName is the length from which on a name says only how its path begins.
const longName = 140

// Name is a path as one file name, readable where it is short. It begins with
// "%2F", so it is never one of the other names in the folder.
func Name(path string) string {
	name := url.PathEscape(path)
	if len(name) > longName {
		return name[:80] + "-" + Digest([]byte(path))
	}
	return name
}

func keptPath(path string) string { return Dir + "/" + Name(path) + suffix }
