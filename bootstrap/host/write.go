package host

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// TempPrefix begins the name of every temporary file. A kill may leave one;
// Sweep takes it away.
const TempPrefix = ".reveille-"

// lasting is how much of a write is on the disk when it returns.
type lasting int

const (
	jotted  lasting = iota // nothing need be
	placed                 // the bytes, before they get the name; the name after Flush
	durable                // both
)

// below says how lasting a write at a path can be: what lies below /run is in
// memory and ends with the power, so nobody waits for a disk.
func (l lasting) below(path string) lasting {
	if strings.HasPrefix(filepath.Clean(path), "/run/") {
		return jotted
	}
	return l
}

// Write puts a whole file in place, at once and durably: either the old file
// is there or the new one, whenever the power goes. A link at the path is
// replaced, not followed; missing folders above it are made with mode 0755.
// SELinux label and ACLs are taken over from what is replaced. With Attr.Mode
// zero the present mode stays, and a new file gets 0600.
func (h *Host) Write(path string, data []byte, a Attr) error {
	return h.write(path, data, a, durable.below(path))
}

// Place is Write that does not wait until the name is on the disk: after a power
// cut the old file is there or the new one, whole, and Flush decides which. A
// folder is waited for once, and not once a file.
func (h *Host) Place(path string, data []byte, a Attr) error {
	return h.write(path, data, a, placed.below(path))
}

// Jot is Write for what can be made again: nobody waits until it is on the
// disk. A kill leaves the old file or the new one; a power cut may leave the
// old one, none, or one without its bytes, and the reader must be able to tell.
func (h *Host) Jot(path string, data []byte, a Attr) error { return h.write(path, data, a, jotted) }

func (h *Host) write(path string, data []byte, a Attr, l lasting) error {
	s, err := h.stage(path, data, a, l)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Place()
}

// over fills in what the caller left to the present file.
func (a Attr) over(old Info) Attr {
	regular := old.Exists && old.Mode.IsRegular()
	if a.Mode == 0 {
		a.Mode = 0o600
		if regular {
			a.Mode = old.Mode
		}
	}
	a.Mode = a.Mode.Perm()
	if a.UID < 0 {
		a.UID = 0
		if regular {
			a.UID = old.UID
		}
	}
	if a.GID < 0 {
		a.GID = 0
		if regular {
			a.GID = old.GID
		}
	}
	return a
}

// install renames a finished temporary file and, durably, waits until the name
// is on the disk.
func (h *Host) install(verb, path, tmp, real string, l lasting) error {
	h.point(verb, path, "rename")
	if err := os.Rename(tmp, real); err != nil {
		return errors.Join(h.fail(verb, path, err), removeTemp(tmp))
	}
	h.point(verb, path, "renamed")
	dir := filepath.Dir(real)
	if l >= placed {
		h.unsynced.owe(dir)
	}
	if l == durable {
		if err := h.flush(dir); err != nil {
			return h.fail(verb, path, err)
		}
	}
	h.point(verb, path, "done")
	return nil
}

// Symlink makes or replaces a symbolic link, at once and durably. The target
// is written as given.
func (h *Host) Symlink(target, path string) error {
	real, err := h.prepare(path)
	if err != nil {
		return err
	}
	h.point("link", path, "tmp")
	tmp := h.tempName(real)
	if err := os.Symlink(target, tmp); err != nil {
		return h.fail("link", path, err)
	}
	return h.install("link", path, tmp, real, durable.below(path))
}

// prepare is where a new entry goes, with the folders above it made.
func (h *Host) prepare(path string) (string, error) {
	real, err := h.entry(path)
	if err != nil {
		return "", err
	}
	if real == h.root {
		return "", fmt.Errorf("write %s: it is the root folder", path)
	}
	if err := h.mkdirs(filepath.Dir(real)); err != nil {
		return "", err
	}
	return real, nil
}

// point tells the test's hook where we are: "write:/etc/hosts rename". The
// first point of an effect comes before it, the last ("done") after it.
func (h *Host) point(verb, path, stage string) { h.hook(verb + ":" + path + " " + stage) }

// allowed passes over what only root may do, where that is no error: see Owners.
func (h *Host) allowed(err error) error {
	if errors.Is(err, fs.ErrPermission) && !h.Owners() {
		return nil
	}
	return err
}

func (h *Host) tempName(real string) string {
	return filepath.Join(filepath.Dir(real), TempPrefix+h.tag+"-"+randomTag())
}

// mine says that this Host made a temporary file, and may be using it.
func (h *Host) mine(name string) bool { return strings.HasPrefix(name, TempPrefix+h.tag+"-") }

var tempPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^` + regexp.QuoteMeta(TempPrefix) + `[0-9a-f]{12}-[0-9a-f]{12}$`)
})

// isTemp knows our temporary files from a person's .reveille-notes.
func isTemp(name string) bool {
	return strings.HasPrefix(name, TempPrefix) && tempPattern().MatchString(name)
}

func randomTag() string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func removeTemp(tmp string) error {
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the temporary file: %w", err)
	}
	return nil
}
