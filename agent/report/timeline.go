package report

import (
	"fmt"
	"io"
	"strings"

	"reveille/coordinator/api"
)

// bar is one row of a timeline.
type bar struct {
	name, state string
	start, took float64 // milliseconds
}

// bars are the rows in the order in which they happened to be told: the
// phases that came before the steps, then the steps of the plan.
func bars(r api.Report) (rows []bar, end float64) {
	for _, p := range r.Phases {
		if p.Name != "steps" {
			rows = append(rows, bar{p.Name, "phase", p.StartMS, p.TookMS})
		}
	}
	for _, s := range r.Steps {
		rows = append(rows, bar{s.ID, s.State, s.StartMS, s.TookMS})
	}
	end = r.TookMS
	for _, b := range rows {
		end = max(end, b.start+b.took)
	}
	return rows, max(end, 0.1)
}

// WriteTimeline draws a report as a waterfall of text, at most width columns.
func WriteTimeline(w io.Writer, r api.Report, width int) {
	rows, end := bars(r)
	name := 12
	for _, b := range rows {
		name = max(name, len([]rune(b.name)))
	}
	name = min(name, 44)
	room := max(width-name-24, 16)
	fmt.Fprintf(w, "%s\n", headline(r))
	for _, b := range rows {
		from := int(b.start / end * float64(room))
		long := max(1, int(b.took/end*float64(room)+0.5))
		from = min(from, room-1)
		long = min(long, room-from)
		line := strings.Repeat(" ", from) + strings.Repeat(glyph(b.state), long) + strings.Repeat(" ", room-from-long)
		fmt.Fprintf(w, "%-*s %-8s |%s|%9.1f ms\n", name, shorten(Clean(b.name), name), b.state, line, b.took)
	}
	fmt.Fprintf(w, "%-*s %-8s  0%*s\n", name, "", "", room-1, fmt.Sprintf("%.0f ms", end))
}

func glyph(state string) string {
	switch state {
	case "phase":
		return "░"
	case "failed", "blocked", "unknown", "drifted":
		return "▒"
	}
	return "█"
}

func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
