package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Staged is a file that lies beside its place, under a temporary name.
type Staged struct {
	host       *Host
	path, real string // its place
	tmp        string
	file       *os.File // holds the lock by which Sweep leaves it alone
	lasting    lasting
	synced     chan struct{} // closed when the bytes are on the disk; nil: nobody has begun to bring them there
	syncErr    error         // of that
}

// Stage is the first half of Place, for who has something else to bring to the
// disk before the file may have its name: its bytes are on their way meanwhile.
// Nothing is staged, and the answer nil, where a folder above it is missing.
func (h *Host) Stage(path string, data []byte, a Attr) (*Staged, error) {
	if missing, err := h.Missing(path); err != nil || len(missing) > 0 {
		return nil, err
	}
	s, err := h.stage(path, data, a, placed.below(path))
	if err != nil || s.lasting < placed {
		return s, err
	}
	s.synced = make(chan struct{})
	go func() {
		defer close(s.synced)
		s.syncErr = s.file.Sync()
	}()
	return s, nil
}

// Place is the second half: the file gets its name.
func (s *Staged) Place() error {
	err := s.sync()
	if err := errors.Join(err, s.file.Close()); err != nil {
		return errors.Join(s.host.fail("write", s.path, err), removeTemp(s.tmp))
	}
	return s.host.install("write", s.path, s.tmp, s.real, s.lasting)
}

// Close lets go of it and takes nothing away: after Place and Drop it does nothing,
// and where neither came, the next Sweep finds what is left.
func (s *Staged) Close() {
	if s.synced != nil {
		<-s.synced // its file stays locked until then
	}
	s.file.Close()
}

// Drop takes it away again.
func (s *Staged) Drop() error { return errors.Join(s.file.Close(), removeTemp(s.tmp)) }

func (s *Staged) sync() error {
	switch {
	case s.synced != nil:
		<-s.synced
		return s.syncErr
	case s.lasting < placed:
		return nil
	}
	return s.file.Sync()
}

// stage makes the temporary file, or leaves nothing. The clean-up is not
// deferred: a test that dies in a hook must leave behind what a killed process
// would.
func (h *Host) stage(path string, data []byte, a Attr, l lasting) (*Staged, error) {
	real, err := h.prepare(path)
	if err != nil {
		return nil, err
	}
	old, err := h.info(path, real)
	if err != nil {
		return nil, err
	}
	if old.Exists && !old.Mode.IsRegular() && old.Link == "" {
		return nil, fmt.Errorf("write %s: %s is in its place; remove it, or give another path", path, kind(old.Mode))
	}
	h.point("write", path, "tmp")
	s := &Staged{host: h, path: path, real: real, tmp: h.tempName(real), lasting: l}
	s.file, err = os.OpenFile(s.tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, h.fail("write", path, err)
	}
	whole := false
	defer func() {
		if !whole {
			s.Close()
		}
	}()
	if err := s.fill(data, a.over(old), old); err != nil {
		return nil, errors.Join(h.fail("write", path, err), s.Drop())
	}
	whole = true
	return s, nil
}

func (s *Staged) fill(data []byte, a Attr, old Info) error {
	h, f := s.host, s.file
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil && !errors.Is(err, unix.ENOTSUP) {
		return fmt.Errorf("lock the temporary file: %w", err)
	}
	h.point("write", s.path, "data")
	if _, err := f.Write(data); err != nil {
		return err
	}
	h.point("write", s.path, "attributes")
	if err := h.allowed(f.Chown(a.UID, a.GID)); err != nil {
		return err
	}
	if old.Exists {
		if err := h.copyXattrs(s.real, f); err != nil {
			return err
		}
	}
	// Last, as chown and an ACL both change the mode.
	if err := f.Chmod(a.Mode); err != nil {
		return err
	}
	if s.lasting >= placed {
		h.point("write", s.path, "sync")
	}
	return nil
}
