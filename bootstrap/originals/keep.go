package originals

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"reveille/bootstrap/host"
)

// private is the look of all that is kept: it may hold secrets of the image's.
var private = host.Attr{Mode: 0o600, UID: 0, GID: 0}

// Keep keeps a path's original, as Look has pictured it, before its first
// change, as Note does. A path that is kept already is an error: the second
// picture would be of our own file.
func Keep(h *host.Host, r Record) error {
	switch _, kept, err := Get(h, r.Path); {
	case err != nil:
		return err
	case kept:
		return fmt.Errorf("keep the original of %s: it is kept already", r.Path)
	}
	if err := h.Mkdir(Dir, 0o700); err != nil {
		return err
	}
	if i, err := h.Lstat(Dir + "/" + Name(r.Path) + ".json"); err != nil || i.Exists {
		return cmp.Or(err, errEarlier(r.Path))
	}
	if err := inheritMade(h, &r); err != nil {
		return err
	}
	return Note(h, r)
}

// Update is Note, and when it returns all that is kept is on the disk.
func Update(h *host.Host, r Record) error {
	if err := Note(h, r); err != nil {
		return err
	}
	if err := h.Flush(Dir); err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	return nil
}

// Note keeps what has since become known of a path: another edit, another
// digest. Its name is on the disk after Flush of Dir, which must come before the
// path is changed.
func Note(h *host.Host, r Record) error {
	if r.Owner == "" {
		owner, err := line(h, "owner")
		if err != nil {
			return err
		}
		r.Owner = owner
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	text = append(append(text, '\n'), r.bytes...)
	if len(text) > host.MaxFile { // nobody could read it again
		return fmt.Errorf("keep the original of %s: %w: with what is known of it it has %d bytes", r.Path, host.ErrTooLarge, len(text))
	}
	if err := h.Place(keptPath(r.Path), text, private); err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	return nil
}

// inheritMade adds the folders above the path that another record made: who
// is put back last finds them empty and takes them away.
func inheritMade(h *host.Host, r *Record) error {
	missing, err := h.Missing(r.Target)
	if err != nil {
		return err
	}
	made, err := madeAbove(h, r.Target)
	if err != nil {
		return err
	}
	var above []string
	for _, dir := range ancestors(r.Target) {
		if made[dir] {
			above = append(above, dir)
		}
	}
	for _, dir := range missing {
		if !made[dir] {
			above = append(above, dir)
		}
	}
	r.Made = above
	return nil
}

// madeAbove is the folders above a path that records made. Only those are read
// whose own paths lie in one of them, since a pass keeps a dozen files. /etc
// was there before us, on whatever is a machine.
func madeAbove(h *host.Host, path string) (map[string]bool, error) {
	made := map[string]bool{}
	names, err := h.ReadDir(Dir)
	if err != nil {
		return made, err
	}
	for _, dir := range ancestors(path) {
		if dir == "/etc" {
			continue
		}
		for _, n := range names {
			if !strings.HasPrefix(n, Name(dir)+Name("/")) && len(n) < longName {
				continue
			}
			// A damaged record is told by the pass that reads it. Its folders are
			// not known here: one may be left behind empty, which harms nobody.
			r, _, _ := read(h, Dir+"/"+n)
			for _, dir := range r.Made {
				made[dir] = true
			}
		}
	}
	return made, nil
}

// ancestors are the folders above a path, the outermost first, without the root.
func ancestors(path string) []string {
	var all []string
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		all = append([]string{dir}, all...)
	}
	return all
}

// Get is what is kept of one path, and whether anything is.
func Get(h *host.Host, path string) (Record, bool, error) {
	return read(h, keptPath(path))
}

func read(h *host.Host, file string) (Record, bool, error) {
	text, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, err
	}
	var r Record
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	if err := json.Unmarshal(head, &r); err != nil {
		return Record{}, false, fmt.Errorf("the kept original %s cannot be read; put its file back by hand and remove it: %w", file, err)
	}
	if r.Version != Version || keptPath(r.Path) != file {
		return Record{}, false, fmt.Errorf("the kept original %s is of version %d and names %q; it was made by another version of this program: restore with that one, or put the file back by hand and remove it", file, r.Version, r.Path)
	}
	r.bytes = rest
	return r, true, nil
}

// Bytes is the kept bytes of a regular file, nil of anything else. Bytes that
// are not those that were kept are an error: nothing is put back from them.
func (r Record) Bytes() ([]byte, error) {
	if r.State != Regular {
		return nil, nil
	}
	if Digest(r.bytes) != r.SHA256 {
		return nil, fmt.Errorf("the kept original of %s is damaged: %s has other bytes than those that were kept; put the file back by hand and remove what is kept of it", r.Path, keptPath(r.Path))
	}
	return r.bytes, nil
}

// Forget drops what is kept of a path, once the path is the image's own again.
func Forget(h *host.Host, path string) error {
	if err := h.Remove(keptPath(path)); err != nil {
		return err
	}
	return h.Sweep(Dir)
}

// line is a one-line file of the folder, "" where there is none.
func line(h *host.Host, name string) (string, error) {
	data, err := h.ReadFile(Dir + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}
