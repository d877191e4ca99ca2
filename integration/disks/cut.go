package disks

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
)

// State is all disks at one moment, by name. It is not changed once it is made.
type State map[string]*image

// Recording is what was written to the disks from a moment on.
type Recording struct {
	Start State
	Log   []Write // in the order in which the writes were done
}

// Loss says what a cut takes of that which no flush has made last.
type Loss int

// The kinds. A cache that writes back in any order may keep any part.
const (
	LosesNothing Loss = iota
	LosesAll
	LosesSome // each block of 4 KiB, or not
)

func (l Loss) String() string {
	return [...]string{"nothing", "all that was not flushed", "some blocks that were not flushed"}[l]
}

// Begin begins a recording.
func (s *Server) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start, s.log, s.trap = s.now(), nil, nil
}

// Length is how many writes there are since Begin: a place in its log.
func (s *Server) Length() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log)
}

// Recording is all since Begin.
func (s *Server) Recording() Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Recording{s.start, slices.Clone(s.log)}
}

func (s *Server) now() State {
	state := State{}
	for name, d := range s.disks {
		state[name] = d.clone()
	}
	return state
}

// Load makes the disks those of a state.
func (s *Server) Load(state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, d := range state {
		s.disks[name] = d.clone()
	}
}

// Cut is the disks after a power cut before the write at a place of the log,
// and how many bytes it took of what had been answered.
func (r Recording) Cut(at int, loss Loss, random *rand.Rand) (State, int64, error) {
	if at < 0 || at > len(r.Log) {
		return nil, 0, fmt.Errorf("cut at %d of %d writes", at, len(r.Log))
	}
	state := State{}
	for name, d := range r.Start {
		state[name] = d.clone()
	}
	lasts, lost := r.flushed(at), int64(0)
	for n, w := range r.Log[:at] {
		lands := always
		if !w.Lasts && n > lasts[w.Disk] {
			lands = func() bool {
				keep := loss == LosesNothing || loss == LosesSome && random.IntN(2) == 0
				if !keep {
					lost += min(block, w.Length)
				}
				return keep
			}
		}
		if err := state[w.Disk].write(w.Data, w.At, w.Length, lands); err != nil {
			return nil, 0, err
		}
	}
	return state, lost, nil
}

// End is the disks after the last write of the recording, with nothing lost.
func (r Recording) End() (State, error) {
	state, _, err := r.Cut(len(r.Log), LosesNothing, nil)
	return state, err
}

// flushed is each disk's last flush before a place of the log.
func (r Recording) flushed(at int) map[string]int {
	last := map[string]int{}
	for name := range r.Start {
		last[name] = -1
	}
	for n, w := range r.Log[:at] {
		if w.Flush {
			last[w.Disk] = n
		}
	}
	return last
}

// Names are the disks', sorted.
func (s State) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Save writes a disk of the state to a file, with holes where it is zero.
func (s State) Save(name, path string) error {
	d := s[name]
	if d == nil {
		return fmt.Errorf("save disk %s: there is none of that name", name)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("save disk %s: %w", name, err)
	}
	err = f.Truncate(d.size)
	for n := int64(0); n*block < d.size && err == nil; n++ {
		var b []byte
		if b, err = d.get(n); err == nil && !bytes.Equal(b, zeroes) {
			_, err = f.WriteAt(b, n*block)
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save disk %s: %w", name, err)
	}
	return nil
}
