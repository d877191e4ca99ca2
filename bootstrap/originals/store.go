package originals

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"reveille/bootstrap/host"
)

// Store is all that is kept, as it was when it was loaded.
type Store struct {
	owner    string
	hostname string
	records  []Record
	damaged  []string // paths of records that could not be read
}

// Entry is one file that the agent has changed.
type Entry struct {
	Path    string
	Concern string
	Edit    string // kind of the latest edit; "" where the whole file is ours
}

// Load reads all that is kept. A record that cannot be read is an error, and
// the rest is in the Store all the same.
func Load(h *host.Host) (Store, error) {
	var s Store
	names, err := h.ReadDir(Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var errs []error
	for _, n := range names {
		if path, old := earlier(n); old {
			s.damaged = append(s.damaged, path)
			errs = append(errs, errEarlier(path))
			continue
		}
		if !strings.HasPrefix(n, "%2F") || !strings.HasSuffix(n, suffix) {
			continue
		}
		r, ok, err := read(h, Dir+"/"+n)
		if ok {
			s.records = append(s.records, r)
		} else if path, e := url.PathUnescape(strings.TrimSuffix(n, suffix)); err != nil && e == nil && Name(path)+suffix == n {
			s.damaged = append(s.damaged, path)
		}
		errs = append(errs, err)
	}
	s.owner, err = line(h, "owner")
	errs = append(errs, err)
	// The records' word outlasts a power cut, the file's may not.
	for _, r := range s.records {
		if r.Owner != "" {
			s.owner = r.Owner
			break
		}
	}
	s.hostname, err = line(h, "hostname")
	return s, errors.Join(append(errs, err)...)
}

// Owner is the instance id that the originals belong to, "" where nothing is
// kept, or where it was kept on a machine whose id nobody could tell.
func (s Store) Owner() string {
	if s.Empty() {
		return ""
	}
	return s.owner
}

// Empty says that nothing is kept: the machine is the image's own.
func (s Store) Empty() bool {
	return len(s.records) == 0 && len(s.damaged) == 0 && s.hostname == ""
}

// List is the files that the agent has changed, by path. One whose record
// cannot be read comes last and without more: it is not the image's own either.
func (s Store) List() []Entry {
	var list []Entry
	for _, r := range s.records {
		e := Entry{Path: r.Path, Concern: r.Concern}
		if n := len(r.Edits); n > 0 {
			e.Edit = r.Edits[n-1].Kind
		}
		list = append(list, e)
	}
	for _, path := range s.damaged {
		list = append(list, Entry{Path: path})
	}
	return list
}

// Hostname is the live host name before the agent's first change of it, ""
// where it has changed none.
func (s Store) Hostname() string { return s.hostname }

// SetOwner says whose machine this is, before its first original is kept. It
// is refused while originals of another instance are here: those go back
// first, or they would be taken for this one's. The empty id, of a machine that
// nobody can name, changes nothing.
func SetOwner(h *host.Host, id string) error {
	if id == "" {
		return nil
	}
	if strings.ContainsAny(id, "\n\r") {
		return fmt.Errorf("the owner of the originals: %q is no instance id", id)
	}
	// Asked alone, so that one damaged record does not hold up every pass.
	switch owner, err := line(h, "owner"); {
	case err != nil:
		return err
	case owner == id:
		return nil
	}
	s, err := Load(h)
	if err != nil {
		return err
	}
	if o := s.Owner(); o != "" && o != id {
		return fmt.Errorf("the files that were changed here belong to %s, not to %s; put the originals back first (reveille restore)", o, id)
	}
	if err := h.Mkdir(Dir, 0o700); err != nil {
		return err
	}
	if !s.Empty() { // nothing says it besides: what is kept was kept of a machine without a name
		return h.Write(Dir+"/owner", []byte(id+"\n"), private)
	}
	return h.Jot(Dir+"/owner", []byte(id+"\n"), private)
}

// earlier knows a record of the form that had its bytes in a file beside it.
func earlier(name string) (path string, is bool) {
	name, is = strings.CutSuffix(name, ".json")
	path, err := url.PathUnescape(name)
	return path, is && err == nil && strings.HasPrefix(path, "/")
}

func errEarlier(path string) error {
	return fmt.Errorf("the kept original of %s was made by an earlier version of this program: restore with that one, or put the file back by hand and remove %s", path, Dir+"/"+Name(path)+".*")
}

// KeptHostname is Store.Hostname alone: no damaged record keeps it back.
func KeptHostname(h *host.Host) (string, error) { return line(h, "hostname") }

// KeepHostname keeps the live host name before the first change of it; a
// later call keeps nothing.
func KeepHostname(h *host.Host, name string) error {
	kept, err := line(h, "hostname")
	if err != nil || kept != "" || name == "" {
		return err
	}
	if err := h.Mkdir(Dir, 0o700); err != nil {
		return err
	}
	// A power cut may take it, and takes the live name in any case.
	return h.Jot(Dir+"/hostname", []byte(name+"\n"), private)
}

// ForgetHostname drops the kept live host name.
func ForgetHostname(h *host.Host) error { return h.Remove(Dir + "/hostname") }
