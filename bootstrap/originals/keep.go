package originals

import (
	"bytes"
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
// change. A path that is kept already is an error: the second picture would be
// of our own file.
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
	owner, err := line(h, "owner")
	if err != nil {
		return err
	}
	r.Owner = owner
	if err := inheritMade(h, &r); err != nil {
		return err
	}
	return Update(h, r)
}

// Update keeps what has since become known of a path: another edit, another
// digest. When it returns, all that is kept is on the disk.
func Update(h *host.Host, r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	text = append(append(text, '\n'), r.bytes...)
	if err := h.Place(keptPath(r.Path), text, private); err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	if err := h.Flush(Dir); err != nil {
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
	// A damaged record is told by the pass that reads it. Its folders are not
	// known here: one may be left behind empty, which harms nobody.
	s, _ := Load(h)
	made := map[string]bool{}
	for _, other := range s.records {
		for _, dir := range other.Made {
			made[dir] = true
		}
	}
	var above []string
	for dir := filepath.Dir(r.Target); dir != "/"; dir = filepath.Dir(dir) {
		if made[dir] {
			above = append([]string{dir}, above...)
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
