package block

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDetectionRates prints how surely one run of data at a random place is
// found by the samples alone, and holds docs/storage.md to it. Measured, and
// worked out beside it: a run of x parts (a part is a 1,024th of the device) is
// found with x - x³/6 up to one part, 1 - (2-x)³/6 up to two, and for certain
// beyond.
func TestDetectionRates(t *testing.T) {
	doc, err := os.ReadFile("../../docs/storage.md")
	if err != nil {
		t.Fatal(err)
	}
	runs := []int64{mib, 16 * mib, 64 * mib, 256 * mib, gib}
	for _, size := range []int64{gib, 16 * gib, 64 * gib, 100 * gib, 1000 * gib, 16384 * gib} {
		row := fmt.Sprintf("| %d GiB |", size/gib)
		for _, run := range runs {
			got, want := measured(size, run), worked(float64(run)/float64(size/samples))
			if run >= size {
				got, want = 1, 1
			}
			if math.Abs(got-want) > 0.05 {
				t.Errorf("%d MiB on %d GiB: found in %.3f of the cases, not %.3f", run/mib, size/gib, got, want)
			}
			row += fmt.Sprintf(" %s |", percent(want))
		}
		t.Log(row)
		if !strings.Contains(string(doc), row+"\n") {
			t.Errorf("docs/storage.md does not have the line\n%s", row)
		}
	}
}

func percent(p float64) string {
	switch p *= 100; {
	case p == 100:
		return "100%"
	case p >= 10:
		return fmt.Sprintf("%.1f%%", p)
	}
	return fmt.Sprintf("%.2g%%", p)
}

func worked(parts float64) float64 {
	switch {
	case parts <= 1:
		return parts - parts*parts*parts/6
	case parts < 2:
		return 1 - math.Pow(2-parts, 3)/6
	}
	return 1
}

// measured is how often the samples meet a run, in many draws.
func measured(size, run int64) float64 {
	const draws = 1000
	random := rand.New(rand.NewChaCha8([32]byte{7}))
	hits := 0
	for range draws {
		begin := random.Int64N(size - min(run, size-1))
		at := scattered(size, random)
		if i, _ := slices.BinarySearch(at, begin); i < len(at) && at[i] < begin+run {
			hits++
		}
	}
	return float64(hits) / draws
}
