// Package stack makes room on a goroutine's stack while it is still shallow. A
// stack that grows on its way down is copied each time with all that is on it,
// and to copy it the runtime reads tables about every function there: in a
// program that ends after some milliseconds that is a tenth of its time, and a
// megabyte of its memory.
//
// It knows nothing of what the goroutine is for.
package stack

// step is how much one call of Grow takes, in KiB.
const step = 4

// Grow makes room for so many KiB. It belongs at the beginning of a goroutine
// that is going to call deeply.
//
//go:noinline
func Grow(kib int) {
	var room [step << 10]byte
	touch(&room)
	if kib > step {
		Grow(kib - step)
	}
}

//go:noinline
func touch(room *[step << 10]byte) { room[0] = 1 }
