package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"

	"reveille/coordinator/api"
)

// The picture's measures, in pixels.
const (
	svgWidth  = 1080
	svgLeft   = 340
	svgRight  = 90
	svgTop    = 92
	svgRow    = 26
	svgBottom = 44
)

const svgStyle = `
  svg { background: #fbfaf7; font: 13px ui-sans-serif, system-ui, "Helvetica Neue", Arial, sans-serif; }
  .title { font-size: 19px; font-weight: 600; fill: #1d2433; }
  .sub, .tick { fill: #6b7280; } .tick { font-size: 11px; }
  .name { fill: #1d2433; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 12px; }
  .took { fill: #6b7280; font-size: 11px; }
  .grid { stroke: #e6e2d8; } .zebra { fill: #f3f0e8; }
  .phase { fill: #c3bca9; } .ok { fill: #8fb8a8; } .changed { fill: #2f8f6f; }
  .drifted { fill: #d9a441; } .failed { fill: #c8453b; } .blocked { fill: #a98ab5; } .unknown { fill: #9aa1ad; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14171d; } .title, .name { fill: #e8e6e1; } .sub, .tick, .took { fill: #9aa1ad; }
    .grid { stroke: #2a2f39; } .zebra { fill: #1a1e26; } .phase { fill: #575f6d; }
  }
`

// SVG draws a report as a waterfall: a picture that stands alone, light and
// dark, with nothing loaded from elsewhere.
func SVG(r api.Report) []byte {
	rows, end := bars(r)
	height := svgTop + svgRow*len(rows) + svgBottom
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="timeline of a pass">`,
		svgWidth, height, svgWidth, height)
	fmt.Fprintf(&b, "<style>%s</style>\n", svgStyle)
	text(&b, "title", 24, 36, r.Hostname+" · "+string(r.State))
	text(&b, "sub", 24, 58, headline(r))
	step := nice(end)
	plot := float64(svgWidth - svgLeft - svgRight)
	at := func(ms float64) float64 { return svgLeft + ms/end*plot }
	for i := range rows {
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect class="zebra" x="12" y="%d" width="%d" height="%d" rx="3"/>`, svgTop+i*svgRow, svgWidth-24, svgRow)
		}
	}
	for t := 0.0; t <= end; t += step {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, at(t), at(t), svgTop-6, svgTop+svgRow*len(rows))
		text(&b, "tick", at(t)+3, float64(svgTop-10), label(t))
	}
	for i, row := range rows {
		y := float64(svgTop + i*svgRow)
		long := math.Max(3, row.took/end*plot)
		text(&b, "name", 24, y+17, shorten(row.name, 42))
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="14" rx="3"><title>`, row.state, at(row.start), y+6, long)
		escape(&b, fmt.Sprintf("%s: %s, from %s, %s", row.name, row.state, label(row.start), label(row.took)))
		b.WriteString("</title></rect>")
		text(&b, "took", at(row.start)+long+6, y+17, label(row.took))
		b.WriteByte('\n')
	}
	legend(&b, float64(height-16))
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func legend(b *bytes.Buffer, y float64) {
	x := 24.0
	for _, s := range []string{"phase", "ok", "changed", "drifted", "failed", "blocked", "unknown"} {
		fmt.Fprintf(b, `<rect class="%s" x="%.0f" y="%.0f" width="12" height="12" rx="3"/>`, s, x, y-10)
		text(b, "tick", x+17, y, s)
		x += 84
	}
}

func text(b *bytes.Buffer, class string, x, y float64, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f">`, class, x, y)
	escape(b, s)
	b.WriteString("</text>")
}

func escape(b *bytes.Buffer, s string) { _ = xml.EscapeText(b, []byte(Clean(s))) }

// nice is a round distance between ticks, for about six of them.
func nice(end float64) float64 {
	raw := end / 6
	mag := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if raw <= m*mag {
			return m * mag
		}
	}
	return 10 * mag
}

func label(ms float64) string {
	switch {
	case ms >= 10000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}
