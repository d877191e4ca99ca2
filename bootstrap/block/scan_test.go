package block

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// sparse is a device of zeros but for what is put on it.
type sparse struct {
	size int64
	data map[int64]string // by offset
	bad  int64            // what cannot be read, from this byte on; 0: all can be
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if s.bad > 0 && off+int64(len(p)) > s.bad {
		return 0, errors.New("input/output error")
	}
	n := int(max(0, min(int64(len(p)), s.size-off)))
	for at, text := range s.data {
		for i := range len(text) {
			if o := at + int64(i) - off; o >= 0 && o < int64(n) {
				p[o] = text[i]
			}
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

var aSeed = [32]byte{5}

func scanSparse(t *testing.T, s sparse, witnessed bool) Verdict {
	t.Helper()
	v, err := Scan(t.Context(), s, s.size, witnessed, aSeed)
	if err != nil {
		t.Fatal(err)
	}
	if v.Blank != (v.Found == "") || v.Size != s.size {
		t.Errorf("%+v", v)
	}
	return v
}

const gib = 1 << 30

// A blank device is blank whatever its size, and not all of a large one is read.
func TestBlank(t *testing.T) {
	for _, size := range []int64{512, 4096, 1 << 20, 8<<20 + 512, 64 << 20, 64<<20 + 512, gib, SampleLimit} {
		v := scanSparse(t, sparse{size: size}, false)
		if !v.Blank {
			t.Errorf("%d: %+v", size, v)
		}
		if small := size <= wholeLimit; small != (v.Read == size) || v.Read > wholeLimit {
			t.Errorf("of %d bytes %d were read", size, v.Read)
		}
	}
	if v := scanSparse(t, sparse{size: 1000 * gib}, true); !v.Blank || v.Read > wholeLimit {
		t.Errorf("%+v", v)
	}
}

// Any byte of either end is found, and said to be what it is.
func TestScanFindsBothEnds(t *testing.T) {
	const md = "\xfc\x4e\x2b\xa9"
	for _, size := range []int64{8 << 20, gib, 63*gib + 512, 16000 * gib} {
		for text, at := range map[string]int64{
			"0": 0, "1": page - 1, "2": edge - 1, "3": size - edge, "4": size - 1, "5": size - page,
			md + "0.90": size&^(64<<10-1) - 64<<10, md + "1.0": (size - 8<<10) &^ (page - 1), md + "1.1": 0, md + "1.2": page,
			"LABELONE": sector, "LUKS\xba\xbe": 0, "SKUL\xba\xbe": 16 << 10, "EFI PART": size - sector,
		} {
			v := scanSparse(t, sparse{size: size, data: map[int64]string{at: text}}, true)
			if !strings.Contains(v.Found, fmt.Sprintf("at byte %d", at)) {
				t.Errorf("%q at %d of %d: %+v", text, at, size, v)
			}
			if strings.HasPrefix(text, md) && !strings.Contains(v.Found, "md array") {
				t.Errorf("%q is %q", text, v.Found)
			}
		}
	}
}

// The first thing is the one that is said.
func TestScanSaysTheFirst(t *testing.T) {
	v := scanSparse(t, sparse{size: 64 << 20, data: map[int64]string{50 << 20: "late", 9<<20 + 7: "early", 9<<20 + 9000: "x"}}, false)
	if want := fmt.Sprintf("data at byte %d", 9<<20+7); v.Found != want {
		t.Errorf("%q, not %q", v.Found, want)
	}
}

// Readers overtake one another, and the first on the device counts all the same.
func TestOutcomesInAnyOrder(t *testing.T) {
	first, second := outcome{at: 0, text: "first"}, outcome{at: 9, text: "second"}
	for _, order := range [][]outcome{{first, second}, {second, first}, {second, first, second}} {
		var kept outcome
		for _, o := range order {
			kept.keep(o)
		}
		if kept.text != "first" {
			t.Errorf("of %v: %v", order, kept)
		}
	}
}

// A file system whose first MiBs were wiped is known by the headers that it
// keeps elsewhere, where the real mkfs puts them.
func TestScanFindsWipedFileSystems(t *testing.T) {
	cases := 0
	for line := range strings.Lines(testdata(t, "geometry/mkfs")) {
		f := strings.Fields(line)
		size := integer(t, f[1])
		for _, begin := range []int64{0, edge} { // the disk, or its first partition
			var data = map[int64]string{}
			for _, h := range f[2:] {
				at := integer(t, h)
				if f[0] == "xfs" {
					data[begin+at] = "XFSB"
				} else {
					data[begin+at+56] = "\x53\xef"
				}
			}
			whole := size
			if begin > 0 {
				whole += 2 * edge
			}
			for at := range data { // each of them alone
				v := scanSparse(t, sparse{size: whole, data: map[int64]string{at: data[at]}}, true)
				if !strings.Contains(v.Found, f[0]) && !strings.Contains(v.Found, strings.ToUpper(f[0])) {
					t.Errorf("%s of %d at %d: %+v", f[0], size, at, v)
				}
			}
			cases += len(data)
		}
	}
	if cases < 100 {
		t.Errorf("%d headers only", cases)
	}
}

func integer(t *testing.T, text string) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Above the limit samples are not enough without a witness: what they miss is
// found.
func TestScanReadsAllWithoutWitness(t *testing.T) {
	size := int64(SampleLimit + page)
	pages := places(size, rand.New(rand.NewChaCha8(aSeed)))
	at := int64(5 << 20)
	for slices.Contains(pages, at) {
		at += page
	}
	s := sparse{size: size, data: map[int64]string{at: "x"}}
	if v := scanSparse(t, s, true); !v.Blank {
		t.Fatalf("the samples are meant to miss it: %+v", v)
	}
	if v := scanSparse(t, s, false); v.Found != fmt.Sprintf("data at byte %d", at) {
		t.Errorf("%+v", v)
	}
	next := int64(0)
	for w := range whole(size) {
		if w.at != next || w.length <= 0 || w.length > piece {
			t.Fatalf("after byte %d comes %+v", next, w)
		}
		next += w.length
	}
	if next != size {
		t.Errorf("%d of %d bytes", next, size)
	}
}

// What cannot be read is not blank, and data is data beside it.
func TestScanFails(t *testing.T) {
	for name, c := range map[string]struct {
		dev  sparse
		says int64
		want string
	}{
		"no size":       {sparse{}, 0, "size is 0"},
		"negative":      {sparse{}, -1, "size is 0"},
		"fails":         {sparse{size: gib, bad: 1}, gib, "read at byte 0: input/output error"},
		"fails within":  {sparse{size: 64 << 20, bad: 40 << 20}, 64 << 20, "read at byte 41943040: input/output error"},
		"fails, sample": {sparse{size: gib, bad: gib - page}, gib, "input/output error"},
		"ends early":    {sparse{size: 60 << 20}, 64 << 20, "it ends before"},
	} {
		v, err := Scan(t.Context(), c.dev, c.says, false, aSeed)
		if err == nil || v.Blank || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	v, err := Scan(t.Context(), sparse{size: 64 << 20, bad: 40 << 20, data: map[int64]string{9: "x"}}, 64<<20, false, aSeed)
	if err != nil || v.Found != "data at byte 9" || v.Blank {
		t.Errorf("data before what fails: %+v, %v", v, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := Scan(ctx, sparse{size: gib}, gib, false, aSeed); v.Blank || !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %+v, %v", v, err)
	}
}

// A device whose ends are read can be read, whatever is there.
func TestReadEnds(t *testing.T) {
	for name, c := range map[string]struct {
		dev  sparse
		says int64
		want string // of the error
	}{
		"zeros":      {sparse{size: gib}, gib, ""},
		"data":       {sparse{size: 9*page + 512, data: map[int64]string{0: "x", 9*page + 511: "y"}}, 9*page + 512, ""},
		"tiny":       {sparse{size: 512}, 512, ""},
		"no size":    {sparse{}, 0, "size is 0"},
		"fails":      {sparse{size: gib, bad: 1}, gib, "byte 0: input/output error"},
		"tail fails": {sparse{size: gib, bad: gib - 1}, gib, fmt.Sprintf("byte %d: input/output error", gib-page)},
		"ends early": {sparse{size: gib / 2}, gib, "EOF"},
	} {
		if err := ReadEnds(c.dev, c.says); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two seeds look at different places, and nobody can know where.
func TestSamplesAreRandom(t *testing.T) {
	a := scattered(SampleLimit, rand.New(rand.NewChaCha8([32]byte{1})))
	b := scattered(SampleLimit, rand.New(rand.NewChaCha8([32]byte{2})))
	same := 0
	for i := range a {
		if a[i]/page == b[i]/page {
			same++
		}
	}
	if len(a) != samples || same > samples/100 {
		t.Errorf("%d of %d places are the same", same, len(a))
	}
}
