package disks

import (
	"fmt"
	"io"
	"maps"
)

// block is what a disk keeps or loses whole, in bytes. File systems expect no
// more of it, and no less.
const block = 4096

// zeroes is the content of a block that was zeroed. No block is ever written in
// place, so that copies of an image share theirs.
var zeroes = make([]byte, block)

// image is the bytes of one disk: what was written lies over its base.
type image struct {
	base   io.ReaderAt // nil: zero everywhere
	size   int64
	blocks map[int64][]byte // by number
}

func (i *image) clone() *image {
	return &image{base: i.base, size: i.size, blocks: maps.Clone(i.blocks)}
}

// inside says that a request lies within the disk.
func (i *image) inside(at, length int64) error {
	if at < 0 || length < 0 || at+length > i.size {
		return fmt.Errorf("%d bytes at %d are beyond the disk's %d", length, at, i.size)
	}
	return nil
}

// get is the content of a block; it is not to be changed.
func (i *image) get(number int64) ([]byte, error) {
	if b, ok := i.blocks[number]; ok {
		return b, nil
	}
	if i.base == nil {
		return zeroes, nil
	}
	b := make([]byte, block)
	if _, err := i.base.ReadAt(b, number*block); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read block %d of what a disk lies over: %w", number, err)
	}
	return b, nil
}

func (i *image) read(into []byte, at int64) error {
	for len(into) > 0 {
		b, err := i.get(at / block)
		if err != nil {
			return err
		}
		n := copy(into, b[at%block:])
		into, at = into[n:], at+int64(n)
	}
	return nil
}

// write puts length bytes at a place: data, or zeroes where that is nil. Only
// the blocks for which lands says so change.
func (i *image) write(data []byte, at, length int64, lands func() bool) error {
	for done := int64(0); done < length; {
		number, from := (at+done)/block, (at+done)%block
		n := min(block-from, length-done)
		if lands() {
			if err := i.change(number, from, n, data, done); err != nil {
				return err
			}
		}
		done += n
	}
	return nil
}

func (i *image) change(number, from, n int64, data []byte, done int64) error {
	if n == block && data == nil {
		i.blocks[number] = zeroes
		return nil
	}
	old, err := i.get(number)
	if err != nil {
		return err
	}
	b := make([]byte, block)
	copy(b, old)
	if data == nil {
		clear(b[from : from+n])
	} else {
		copy(b[from:], data[done:done+n])
	}
	i.blocks[number] = b
	return nil
}

// always is lands for a write that nothing takes away.
func always() bool { return true }
