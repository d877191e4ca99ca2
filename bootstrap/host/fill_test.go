package host

import "testing"

// Percents are rounded up as df rounds them, and what nothing limits is 0.
func TestPercent(t *testing.T) {
	for _, c := range []struct {
		used, left uint64
		want       int
	}{{0, 0, 0}, {0, 10, 0}, {1, 999, 1}, {90, 10, 90}, {901, 99, 91}, {5, 0, 100}} {
		if got := percent(c.used, c.left); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.used, c.used+c.left, got, c.want)
		}
	}
	if f, err := FillOf(t.TempDir()); err != nil || f.Percent < 1 || f.Percent > 100 || f.Files > 100 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := FillOf(t.TempDir() + "/gone"); err == nil {
		t.Error("a folder that is not there has room")
	}
}
