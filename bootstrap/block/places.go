package block

import (
	"math/rand/v2"
	"slices"
)

// The sizes of the proof, in bytes.
const (
	// SampleLimit is the size up to which samples prove a device blank.
	SampleLimit = 64 << 30
	// wholeLimit is the size up to which every byte is read in any case: that
	// is quicker than the samples.
	wholeLimit = 64 << 20
	edge       = 1 << 20 // at the head and at the tail
	page       = 4096    // of one sample
	samples    = 1024    // at random places
)

// places are the pages that are read of a device instead of all of it, as
// offsets, sorted: both ends, where what was there before leaves its headers,
// and random ones.
func places(size int64, random *rand.Rand) []int64 {
	all := slices.Concat(edges(size), headers(size), scattered(size, random))
	for i, at := range all {
		all[i] = at &^ (page - 1)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(at int64) bool { return at < 0 || at >= size })
}

// edges are the first and the last MiB: there are partition tables, both copies;
// md's superblocks of every version, LVM's labels, LUKS's headers, ZFS's labels.
func edges(size int64) (at []int64) {
	for i := int64(0); i < edge; i += page {
		at = append(at, i, size-edge+i)
	}
	return append(at, size-1)
}

// scattered is one page in each of as many equal parts of the device, at a
// random place in it: by this, whatever is as long as two parts is found for
// certain.
func scattered(size int64, random *rand.Rand) (at []int64) {
	part := size / samples
	for i := range int64(samples) {
		at = append(at, i*part+random.Int64N(part))
	}
	return at
}

// headers are the places away from the ends where file systems of the usual
// geometries keep copies of their headers, on the whole device and on a
// partition that begins at its first MiB.
func headers(size int64) []int64 {
	at := slices.Clone(fixed)
	partition := int64(edge)
	for _, area := range []struct{ begin, size int64 }{
		{0, size},
		{partition, (size - partition - 33*sector) &^ (page - 1)}, // up to the second copy of the table
		{partition, size - 2*partition},                           // or to the MiB before it
	} {
		for _, h := range slices.Concat(xfsHeaders(area.size), extHeaders(area.size)) {
			at = append(at, area.begin+h)
		}
	}
	return at
}

// fixed are LUKS 2's second header and btrfs's second and third superblock.
var fixed = []int64{1 << 20, 2 << 20, 4 << 20, 64 << 20, 256 << 30}

// xfsHeaders are where the allocation groups of an XFS begin: mkfs makes 4, in a
// group of disks 8 to 32, of small ones fewer, and none above 1 TiB.
func xfsHeaders(size int64) (at []int64) {
	blocks := size / page
	groups := []int64{1 << 40 / page} // as long as one can be
	for shift := 1; shift <= 5; shift++ {
		groups = append(groups, (blocks+1<<shift-1)>>shift)
	}
	for _, length := range groups {
		for b := length; b < blocks && length > 0; b += length {
			at = append(at, b*page)
		}
	}
	return at
}

// extHeaders are ext4's backup superblocks: in block group 1, the powers of 3, 5
// and 7, and the last, with blocks of 1, 2 and 4 KiB.
func extHeaders(size int64) (at []int64) {
	for _, block := range []int64{1 << 10, 2 << 10, 4 << 10} {
		group := 8 * block * block // one block is the map of its blocks
		last := (size - 1) / group
		numbers := []int64{1, last - 1, last}
		for _, base := range []int64{3, 5, 7} {
			for n := base; n <= last; n *= base {
				numbers = append(numbers, n)
			}
		}
		for _, n := range numbers {
			if n > 0 && n <= last {
				at = append(at, n*group)
			}
		}
	}
	return at
}
