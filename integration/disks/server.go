package disks

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// Server has the disks and answers QEMU, which asks for them as exports of
// their names over NBD, at Socket. Its methods may be called at any time but
// for Add, Load and Zero, which are for a machine that does not use the disk.
type Server struct {
	Socket string // path of a Unix socket

	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	disks map[string]*image
	conns map[net.Conn]bool
	start State   // when the recording began
	log   []Write // since then
	trap  *trap
}

// Write is one request that changes a disk, or makes what came before it last.
type Write struct {
	Disk   string
	At     int64 // bytes
	Length int64
	Data   []byte // nil: zeroes
	Flush  bool   // no bytes: what this disk was given before lasts
	Lasts  bool   // as soon as it is answered, whatever is flushed: FUA
	When   time.Time
}

// trap holds up the first write of a recording that it is for.
type trap struct {
	at func(number int, w Write) bool
	do func()
}

// New listens in a folder, whose path has to be short.
func New(dir string) (*Server, error) {
	s := &Server{Socket: filepath.Join(dir, "disks"), disks: map[string]*image{}, conns: map[net.Conn]bool{}, start: State{}}
	l, err := net.Listen("unix", s.Socket)
	if err != nil {
		return nil, fmt.Errorf("serve disks: %w", err)
	}
	s.listener = l
	s.serving.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.serving.Go(func() {
			_ = serve(s, c) // QEMU says by itself what it cannot read or write
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// Close ends it, and the connections of whoever still uses a disk.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	return err
}

// Add makes a disk of size bytes with the bytes of base, which is nil where it
// is blank.
func (s *Server) Add(name string, size int64, base io.ReaderAt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disks[name] != nil || size <= 0 || size%block != 0 {
		return fmt.Errorf("add disk %s of %d bytes: there is one of that name, or it has no whole blocks of %d", name, size, block)
	}
	s.disks[name] = &image{base: base, size: size, blocks: map[int64][]byte{}}
	return nil
}

// Zero makes a disk blank.
func (s *Server) Zero(name string) error {
	d, err := s.disk(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.base, d.blocks = nil, map[int64][]byte{}
	return nil
}

// On writes on a disk beside the machine that is going to use it.
func (s *Server) On(name string) io.WriterAt { return writer{s, name} }

type writer struct {
	s    *Server
	name string
}

func (w writer) WriteAt(data []byte, at int64) (int, error) {
	err := w.s.change(Write{Disk: w.name, At: at, Length: int64(len(data)), Data: data, Lasts: true})
	if err != nil {
		return 0, err
	}
	return len(data), nil
}

func (s *Server) disk(name string) (*image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.disks[name]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("there is no disk %q", name)
}

// change does and remembers a write. Data is the server's from here on.
func (s *Server) change(w Write) error {
	s.spring(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.disks[w.Disk]
	if d == nil {
		return errors.New("there is no disk " + w.Disk)
	}
	if err := d.inside(w.At, w.Length); err != nil {
		return err
	}
	w.When = time.Now()
	s.log = append(s.log, w)
	return d.write(w.Data, w.At, w.Length, always)
}

func (s *Server) readAt(d *image, into []byte, at int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := d.inside(at, int64(len(into))); err != nil {
		return err
	}
	return d.read(into, at)
}

// Trap has do run once, before the first write from now on that at picks,
// which waits meanwhile; number counts the writes since the recording began.
func (s *Server) Trap(at func(number int, w Write) bool, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trap = &trap{at, do}
}

// spring runs the trap where this write is the one.
func (s *Server) spring(w Write) {
	s.mu.Lock()
	t := s.trap
	if t == nil || !t.at(len(s.log), w) {
		s.mu.Unlock()
		return
	}
	s.trap = nil
	s.mu.Unlock()
	t.do()
}
