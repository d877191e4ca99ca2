package disks

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// QEMU's own client reads what was there and what it wrote, and what it asked
// for stands in the log as it asked for it.
func TestQEMUReadsAndWrites(t *testing.T) {
	if _, err := exec.LookPath("qemu-io"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qemu-io is not there: apt-get install --no-install-recommends qemu-utils")
		}
		t.Skip("qemu-io is not there; its package is qemu-utils")
	}
	s := newServer(t)
	s.Begin()
	held := 0
	s.Trap(func(number int, w Write) bool { return w.At == 512 }, func() { held = s.Length() })
	said := qemuIO(t, s, "a", "read -P 1 0 64k", "write -P 5 512 1024", "write -f -P 6 8k 4k", "flush", "write -z 16k 4k", "discard 20k 4k",
		"read -P 1 0 512", "read -P 5 512 1024", "read -P 1 1536 6656", "read -P 6 8k 4k", "read -P 0 16k 8k", "write -P 7 60k 8k")
	if strings.Contains(said, "Pattern verification failed") || strings.Count(said, "read ") != 6 {
		t.Errorf("qemu-io read something else:\n%s", said)
	}
	if !strings.Contains(said, "write failed") {
		t.Errorf("a write beyond the end went well:\n%s", said)
	}
	var got []string
	for _, w := range s.Recording().Log {
		kind := "data"
		switch {
		case w.Flush:
			kind = "flush"
		case w.Data == nil:
			kind = "zeroes"
		}
		if w.Lasts {
			kind += " FUA"
		}
		got = append(got, kind)
	}
	if all := strings.Join(got, ", "); !strings.HasPrefix(all, "data, data FUA, flush, zeroes, zeroes") {
		t.Errorf("the log has %s", all)
	}
	if held != 0 {
		t.Errorf("the trap sprang after %d writes, and was for the first", held)
	}
	if said := qemuIO(t, s, "none", "read 0 512"); !strings.Contains(said, "can't open") {
		t.Errorf("a disk that is not there:\n%s", said)
	}
}

func qemuIO(t *testing.T, s *Server, disk string, commands ...string) string {
	t.Helper()
	args := []string{"-f", "raw", "-t", "writeback", "-d", "unmap"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	out, _ := exec.Command("qemu-io", append(args, "nbd+unix:///"+disk+"?socket="+s.Socket)...).CombinedOutput() // its words are looked at
	return string(out)
}
