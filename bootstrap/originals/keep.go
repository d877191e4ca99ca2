package originals

import (
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

// Keep keeps a path's original before its first change. The bytes go first:
// the record is what makes them count, so a cut between leaves no original
// that lacks its bytes. A path that is kept already is an error: the second
// picture would be of our own file.
func Keep(h *host.Host, r Record, data []byte) error {
	switch _, kept, err := Get(h, r.Path); {
	case err != nil:
		return err
	case kept:
		return fmt.Errorf("keep the original of %s: it is kept already", r.Path)
	}
	if err := prepare(h); err != nil {
		return err
	}
	if err := inheritMade(h, &r); err != nil {
		return err
	}
	if r.State == Regular {
		if err := h.Write(bytesPath(r.Path), data, private); err != nil {
			return fmt.Errorf("keep the original of %s: %w", r.Path, err)
		}
	}
	return Update(h, r)
}

// Update keeps what has since become known of a path: another edit, another
// digest. The bytes stay.
func Update(h *host.Host, r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the original of %s: %w", r.Path, err)
	}
	if err := h.Write(recordPath(r.Path), append(text, '\n'), private); err != nil {
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
	return read(h, recordPath(path))
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
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, false, fmt.Errorf("the kept original %s cannot be read; put its file back by hand and remove the record: %w", file, err)
	}
	if r.Version != Version || recordPath(r.Path) != file {
		return Record{}, false, fmt.Errorf("the kept original %s is of version %d and names %q; it was made by another version of this program: restore with that one, or put the file back by hand and remove the record", file, r.Version, r.Path)
	}
	return r, true, nil
}

// Bytes is the kept bytes of a regular file, nil of anything else. Bytes that
// are not those that were kept are an error: nothing is put back from them.
func Bytes(h *host.Host, r Record) ([]byte, error) {
	if r.State != Regular {
		return nil, nil
	}
	data, err := h.ReadFile(bytesPath(r.Path))
	if err != nil {
		return nil, fmt.Errorf("the kept original of %s: %w", r.Path, err)
	}
	if Digest(data) != r.SHA256 {
		return nil, fmt.Errorf("the kept original of %s is damaged: %s has other bytes than those that were kept; put the file back by hand and remove what is kept of it", r.Path, bytesPath(r.Path))
	}
	return data, nil
}

// Forget drops what is kept of a path, once the path is the image's own again.
func Forget(h *host.Host, path string) error {
	// The record first: bytes without a record count for nothing.
	if err := h.Remove(recordPath(path)); err != nil {
		return err
	}
	if err := h.Remove(bytesPath(path)); err != nil {
		return err
	}
	return h.Sweep(Dir)
}

// Sweep takes away what killed runs have left: temporary files, and bytes that
// no record speaks of. No other process may be keeping anything meanwhile: it
// belongs under the lock of a pass, at its beginning.
func Sweep(h *host.Host) error {
	if err := h.Sweep(Dir); err != nil {
		return err
	}
	all, err := h.Glob(Dir + "/%2F*.original")
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range all {
		record := strings.TrimSuffix(file, ".original") + ".json"
		if i, err := h.Lstat(record); err != nil || i.Exists {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, h.Remove(file))
	}
	return errors.Join(errs...)
}

func prepare(h *host.Host) error {
	if err := h.Mkdir(Dir, 0o700); err != nil {
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
