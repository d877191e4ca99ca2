package resource

import "strings"

// textLine is a line and what ends it. A carriage return belongs to the end,
// so that it is neither compared nor lost; the last line may have no newline.
type textLine struct{ text, end string }

// splitText takes a file apart; joinText of its answer is the same bytes.
func splitText(data []byte) []textLine {
	var out []textLine
	for line := range strings.Lines(string(data)) {
		body := strings.TrimRight(strings.TrimSuffix(line, "\n"), "\r")
		out = append(out, textLine{body, line[len(body):]})
	}
	return out
}

func joinText(lines []textLine) []byte {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + l.end)
	}
	return []byte(b.String())
}

// lineEnd is how the file ends its lines: as its first one does.
func lineEnd(lines []textLine) string {
	if len(lines) > 0 && strings.HasSuffix(lines[0].end, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// closeLast ends the last line where it has no newline, so that a line can follow.
func closeLast(lines []textLine) {
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1].end, "\n") {
		lines[n-1].end += lineEnd(lines)
	}
}

// reopenLast takes that newline back, once what followed is gone: only where
// the image's own file ended without one.
func reopenLast(lines []textLine, original []byte) {
	n := len(lines)
	if n == 0 || len(original) == 0 || strings.HasSuffix(string(original), "\n") {
		return
	}
	lines[n-1].end = strings.TrimSuffix(lines[n-1].end, lineEnd(splitText(original)))
}
