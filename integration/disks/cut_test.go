package disks

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// newServer serves a disk a of 64 KiB that has ones, and a blank one, b.
func newServer(t *testing.T) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "disks-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	if err := s.Add("a", 16*block, bytes.NewReader(bytes.Repeat([]byte{1}, 16*block))); err != nil {
		t.Fatal(err)
	}
	if err := s.Add("b", 16*block, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Server) give(t *testing.T, all ...Write) {
	t.Helper()
	for _, w := range all {
		if err := s.change(w); err != nil {
			t.Fatal(err)
		}
	}
}

// put is a write of whole blocks that hold one byte.
func put(disk string, first, blocks int64, with byte) Write {
	return Write{Disk: disk, At: first * block, Length: blocks * block, Data: bytes.Repeat([]byte{with}, int(blocks)*block)}
}

// firsts is the first byte of each of a disk's first blocks.
func firsts(t *testing.T, d *image, blocks int) string {
	t.Helper()
	var all []byte
	for n := range blocks {
		b := make([]byte, 1)
		if err := d.read(b, int64(n)*block); err != nil {
			t.Fatal(err)
		}
		all = append(all, '0'+b[0])
	}
	return string(all)
}

// What a disk's own flush came after is there, and what had to last by itself;
// the rest is there or not, and nothing that came later is.
func TestACutKeepsWhatWasFlushed(t *testing.T) {
	s := newServer(t)
	s.Begin()
	fua := put("a", 2, 1, 4)
	fua.Lasts = true
	s.give(t, put("a", 0, 1, 2), put("b", 0, 1, 2), Write{Disk: "a", Flush: true}, put("a", 1, 1, 3), fua,
		Write{Disk: "b", At: 0, Length: block / 2}, put("a", 3, 1, 5))
	r := s.Recording()
	for _, c := range []struct {
		at   int
		loss Loss
		a, b string
		lost int64
	}{
		{0, LosesAll, "1111", "0000", 0},
		{7, LosesNothing, "2345", "0000", 0},
		{7, LosesAll, "2141", "0000", 3*block + block/2},
		{2, LosesAll, "1111", "0000", 2 * block},
		{3, LosesAll, "2111", "0000", block},
		{5, LosesNothing, "2341", "2000", 0},
	} {
		state, lost, err := r.Cut(c.at, c.loss, rand.New(rand.NewPCG(1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := firsts(t, state["a"], 4), firsts(t, state["b"], 4); a != c.a || b != c.b || lost != c.lost {
			t.Errorf("cut at %d that loses %v: a %s, b %s, %d bytes lost; want %s, %s, %d", c.at, c.loss, a, b, lost, c.a, c.b, c.lost)
		}
	}
	if a := firsts(t, s.disks["a"], 4); a != "2345" {
		t.Errorf("the disk itself has %s after its cuts", a)
	}
}

func TestACutLosesSomeBlocksOfAWrite(t *testing.T) {
	s := newServer(t)
	s.Begin()
	s.give(t, put("a", 0, 16, 2))
	seen := map[string]bool{}
	for seed := range uint64(20) {
		state, _, err := s.Recording().Cut(1, LosesSome, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := s.Recording().Cut(1, LosesSome, rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			t.Fatal(err)
		}
		kept := firsts(t, state["a"], 16)
		if seen[kept] = true; kept != firsts(t, again["a"], 16) {
			t.Errorf("seed %d loses once these blocks and once others", seed)
		}
	}
	if len(seen) < 15 {
		t.Errorf("20 seeds lose blocks in %d ways", len(seen))
	}
}

// A machine goes on with the disks of a cut, and what it writes there changes
// neither the recording nor another cut of it.
func TestCutsOfOneRecordingAreApart(t *testing.T) {
	s := newServer(t)
	s.Begin()
	s.give(t, put("a", 0, 1, 2))
	r := s.Recording()
	state, _, err := r.Cut(1, LosesNothing, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Load(state)
	s.Begin()
	s.give(t, put("a", 0, 2, 7), Write{Disk: "a", At: block / 2, Length: block})
	if a := firsts(t, state["a"], 2); a != "21" {
		t.Errorf("the state has %s after its machine wrote", a)
	}
	if n := s.Length(); n != 2 || len(r.Log) != 1 {
		t.Errorf("%d writes in the second recording, %d in the first", n, len(r.Log))
	}
	path := filepath.Join(t.TempDir(), "saved")
	if err := state.Save("a", path); err != nil {
		t.Fatal(err)
	}
	if saved, err := os.ReadFile(path); err != nil || len(saved) != 16*block || saved[0] != 2 || saved[block] != 1 {
		t.Errorf("saved %d bytes: %v", len(saved), err)
	}
}

func TestATraceSaysWhatLasts(t *testing.T) {
	s := newServer(t)
	s.Begin()
	zero := Write{Disk: "b", At: 2 * block, Length: block}
	s.give(t, put("b", 0, 1, 1), put("b", 0, 1, 2), put("b", 1, 1, 3), zero, put("a", 0, 1, 9))
	const trace = `
  kworker/0:1H-45 [000] ..... 1.5: block_rq_issue: 259,3 R 4096 () 0 + 8 [a]
  mkfs.xfs-45 [001] ..... 1.6: block_rq_issue: 259,3 WS 4096 () 0 + 8 [a]
  kworker/0:1H-45 [000] ..... 1.7: block_rq_issue: 259,3 WFSM 4096 () 0 + 8 [a]
  kworker/0:1H-45 [000] ..... 1.7: block_rq_issue: 259,3 FF 0 () 0 + 0 [a]
  kworker/0:1H-45 [000] ..... 1.8: block_rq_issue: 259,3 W 4096 () 8 + 8 [a]
  kworker/0:1H-45 [000] ..... 1.8: block_rq_issue: 259,3 NFS 4096 () 16 + 8 [a]
  kworker/0:1H-45 [000] ..... 1.8: block_rq_issue: 259,4 W 4096 () 0 + 8 [a]
`
	r := s.Recording()
	marked, unknown := r.Lasting(trace, map[string]string{"259,3": "b"})
	if marked != 2 || unknown != 1 {
		t.Errorf("%d writes with FUA and %d unknown", marked, unknown)
	}
	for n, want := range []bool{false, true, false, true, true} {
		if r.Log[n].Lasts != want {
			t.Errorf("write %d lasts: %v", n, !want)
		}
	}
}
