package page

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"reveille/coordinator/api"
)

// Tally is a number of instances by state, as words and as a bar.
type Tally struct {
	Total int
	Parts []Part // the worst first, without those that are zero
}

// Part is one state of a Tally. X and Width are of a bar 100 wide.
type Part struct {
	State    api.State
	N        int
	Link     template.URL
	X, Width float64
}

func newTally(c counts, link func(api.State) template.URL) Tally {
	t := Tally{Total: c.total()}
	x := 0.0
	for i, s := range api.States() {
		if c[i] == 0 {
			continue
		}
		width := 100 * float64(c[i]) / float64(t.Total)
		t.Parts = append(t.Parts, Part{State: s, N: c[i], Link: link(s), X: round(x), Width: round(width)})
		x += width
	}
	return t
}

// Noun is "instance" or "instances", as the total needs it.
func (t Tally) Noun() string {
	if t.Total == 1 {
		return "instance"
	}
	return "instances"
}

// instant is a moment as a person reads it, and as a machine does.
type instant struct {
	Ago   string // "3 min ago"
	Exact string // RFC 3339
	Clock string // date and time of day, UTC
}

func at(t, now time.Time) instant {
	return instant{Ago: ago(now.Sub(t)), Exact: t.UTC().Format(time.RFC3339), Clock: t.UTC().Format("2006-01-02 15:04:05 UTC")}
}

func ago(d time.Duration) string {
	switch {
	case d < -5*time.Second:
		return "ahead of this clock"
	case d < 5*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// millis is a duration given in milliseconds, with three digits that count.
func millis(ms float64) string {
	switch {
	case ms < 0 || math.IsNaN(ms) || ms > 1e12:
		return "?"
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 59_950:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms < 3_600_000:
		return fmt.Sprintf("%d min %02d s", int(ms)/60_000, int(ms)/1000%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(ms)/3_600_000, int(ms)/60_000%60)
	}
}

// round keeps attributes short.
func round(x float64) float64 { return math.Round(x*100) / 100 }
