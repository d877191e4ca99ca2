package block

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"sync"

	"reveille/bootstrap/host"
)

const (
	piece   = 1 << 20 // what is read at once at most, in bytes
	readers = 4       // a network's disk is slow to answer, and answers many at once
)

// span is a part of a device that is read at once.
type span struct{ at, length int64 }

var errNoSize = errors.New("its size is 0 bytes: it is failing, or not yet or no longer attached")

// Scan reads a device to see whether all of it is zero: by samples, or, above
// SampleLimit and unless witnessed, every byte. The seed is where samples are
// taken; nobody must know it who writes on the device. An error is one of
// reading, and no verdict.
func Scan(ctx context.Context, r io.ReaderAt, size int64, witnessed bool, seed [32]byte) (Verdict, error) {
	if size <= 0 {
		return Verdict{}, errNoSize
	}
	spans := whole(size)
	if size > wholeLimit && (size <= SampleLimit || witnessed) {
		spans = joined(places(size, rand.New(rand.NewChaCha8(seed))), size)
	}
	s := scan{r: r, size: size, next: spans}
	return s.run(ctx)
}

// ReadEnds reads the first and the last page of a device, whatever is there.
func ReadEnds(r io.ReaderAt, size int64) error {
	if size <= 0 {
		return errNoSize
	}
	buf := host.AlignedBuffer(page)
	for _, at := range []int64{0, (size - 1) &^ (page - 1)} {
		if n, err := r.ReadAt(buf, at); int64(n) < min(page, size-at) {
			return fmt.Errorf("read at byte %d: %w", at, err)
		}
	}
	return nil
}

// whole is all of a device, a piece at a time.
func whole(size int64) iter.Seq[span] {
	return func(yield func(span) bool) {
		for at := int64(0); at < size; at += piece {
			if !yield(span{at, min(piece, size-at)}) {
				return
			}
		}
	}
}

// joined makes spans of sorted pages: those that lie side by side are read at
// once.
func joined(pages []int64, size int64) iter.Seq[span] {
	return func(yield func(span) bool) {
		for i := 0; i < len(pages); {
			s := span{at: pages[i]}
			for i < len(pages) && pages[i] == s.at+s.length && s.length < piece {
				s.length += page
				i++
			}
			s.length = min(s.length, size-s.at)
			if !yield(s) {
				return
			}
		}
	}
}

// scan is one reading of a device, by several readers.
type scan struct {
	r    io.ReaderAt
	size int64
	next iter.Seq[span]

	mu     sync.Mutex
	read   int64
	found  outcome // the first data
	failed outcome // the first that could not be read
}

// outcome is what one reader came upon, and where. Of several, from readers
// that overtook one another, the first of the device counts.
type outcome struct {
	at   int64
	text string
	err  error
}

func (o outcome) none() bool { return o.text == "" && o.err == nil }

func (o *outcome) keep(other outcome) {
	if o.none() || other.at < o.at {
		*o = other
	}
}

func (s *scan) run(ctx context.Context) (Verdict, error) {
	work := make(chan span)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			buf := host.AlignedBuffer(piece)
			for w := range work {
				s.look(w, buf)
			}
		})
	}
	var stopped error
	for w := range s.next {
		if stopped = ctx.Err(); stopped != nil || s.over() {
			break
		}
		work <- w
	}
	close(work)
	wg.Wait()
	v := Verdict{Size: s.size, Read: s.read}
	switch {
	case !s.found.none(): // data is data, whatever else cannot be read
		v.Found = s.found.text
		return v, nil
	case !s.failed.none():
		return v, s.failed.err
	}
	v.Blank = stopped == nil
	return v, stopped
}

// over says that there is a verdict, or none to be had.
func (s *scan) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.found.none() || !s.failed.none()
}

// look reads one span. A read's length is a whole number of pages, and the
// device may end within the last.
func (s *scan) look(w span, buf []byte) {
	n, err := s.r.ReadAt(buf[:(w.length+page-1)&^(page-1)], w.at)
	data := buf[:min(int64(n), w.length)]
	i := firstNonZero(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += int64(len(data))
	switch {
	case i >= 0:
		s.found.keep(outcome{at: w.at, text: describe(data, w.at, i)})
	case int64(len(data)) == w.length:
	case err == nil || errors.Is(err, io.EOF):
		s.failed.keep(outcome{at: w.at, err: fmt.Errorf("read at byte %d: it ends before the %d bytes that it says it has", w.at, s.size)})
	default:
		s.failed.keep(outcome{at: w.at, err: fmt.Errorf("read at byte %d: %w", w.at, err)})
	}
}

var zeros [page]byte

// firstNonZero is where the first byte is that is not zero; -1 where all are.
func firstNonZero(data []byte) int {
	for at := 0; at < len(data); at += page {
		part := data[at:min(at+page, len(data))]
		if bytes.Equal(part, zeros[:len(part)]) {
			continue
		}
		for i, b := range part {
			if b != 0 {
				return at + i
			}
		}
	}
	return -1
}
