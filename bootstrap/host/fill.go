package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Fill is how full a mounted file system is.
type Fill struct {
	Percent int    `json:"percent"` // of its bytes, 0 to 100, rounded up; what is kept for root counts as gone
	Files   int    `json:"files"`   // of the files that it can hold, likewise; 0 where it has no such limit
	Left    uint64 `json:"left"`    // bytes that anybody but root may still write
}

// FillOf asks the kernel. It may wait for a disk: for a child alone.
func FillOf(path string) (Fill, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Fill{}, fmt.Errorf("how full is %s: %w", path, err)
	}
	return Fill{
		Percent: percent(s.Blocks-s.Bfree, s.Bavail),
		Files:   percent(s.Files-s.Ffree, s.Ffree),
		Left:    s.Bavail * uint64(s.Frsize),
	}, nil
}

// percent is what part of the whole is used, rounded up as df does.
func percent(used, left uint64) int {
	whole := used + left
	if whole == 0 {
		return 0
	}
	return int((used*100 + whole - 1) / whole)
}
