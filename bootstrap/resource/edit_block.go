package resource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Block is a guarded block of lines in a file that others write too, between
// "# BEGIN reveille NAME" and "# END reveille NAME". A block that is there is
// replaced in its place; everything outside of it stays byte for byte. The
// file's comments must begin with "#".
type Block struct {
	Name   string   `json:"name"`             // one word, unique within the file
	Lines  []string `json:"lines"`            // without newlines
	Before bool     `json:"before,omitempty"` // a new block is put at the top, not at the end
}

// Kind is "block".
func (Block) Kind() string { return "block" }

// Describe is the block as it will stand in the file.
func (b Block) Describe() string {
	where := "at the end, unless it is there already:\n"
	if b.Before {
		where = "at the top, unless it is there already:\n"
	}
	return where + strings.Join(b.whole(), "\n") + "\n"
}

// Apply puts the block in. Of several blocks of this name the first is kept.
// A block without its end, or an end without its block, is an error: where it
// should have ended is not for us to guess.
func (b Block) Apply(old []byte) ([]byte, error) {
	if err := b.validate(); err != nil {
		return nil, err
	}
	lines := splitText(old)
	spans, err := b.find(lines)
	if err != nil {
		return nil, err
	}
	switch {
	case len(spans) > 0:
		for _, extra := range slices.Backward(spans[1:]) {
			lines = slices.Delete(lines, extra.from, extra.to)
		}
		lines = b.replace(lines, spans[0])
	case b.Before:
		lines = append(b.render(lineEnd(lines)), lines...)
	default:
		closeLast(lines)
		lines = append(lines, b.render(lineEnd(lines))...)
	}
	return joinText(lines), nil
}

// Undo takes out every block of this name, and the newline before it that the
// image's own file did not have.
func (b Block) Undo(now, original []byte) ([]byte, error) {
	lines, last, err := b.without(now)
	if err != nil {
		return nil, err
	}
	if last {
		own, _, err := b.without(original)
		if err != nil {
			own = splitText(original)
		}
		reopenLast(lines, joinText(own))
	}
	return joinText(lines), nil
}

// without are the lines outside of the blocks; last says that a block was the
// end of the file.
func (b Block) without(data []byte) (lines []textLine, last bool, err error) {
	lines = splitText(data)
	spans, err := b.find(lines)
	if err != nil {
		return nil, false, err
	}
	for _, s := range slices.Backward(spans) {
		last = last || s.to == len(lines)
		lines = slices.Delete(lines, s.from, s.to)
	}
	return lines, last, nil
}

func (b Block) begin() string { return "# BEGIN reveille " + b.Name }
func (b Block) end() string   { return "# END reveille " + b.Name }

func (b Block) whole() []string {
	return slices.Concat([]string{b.begin()}, b.Lines, []string{b.end()})
}

func (b Block) render(end string) []textLine {
	var out []textLine
	for _, text := range b.whole() {
		out = append(out, textLine{text, end})
	}
	return out
}

// replace puts the block's lines in place of those in the span. One that holds
// them already stays as it is, line ends and all.
func (b Block) replace(lines []textLine, s span) []textLine {
	var present []string
	for _, l := range lines[s.from+1 : s.to-1] {
		present = append(present, l.text)
	}
	if slices.Equal(present, b.Lines) {
		return lines
	}
	fresh := b.render(lineEnd(lines[s.from:]))
	fresh[len(fresh)-1].end = lines[s.to-1].end
	return slices.Replace(lines, s.from, s.to, fresh...)
}

func (b Block) validate() error {
	var errs []error
	if b.Name == "" || strings.ContainsFunc(b.Name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		errs = append(errs, fmt.Errorf("a block must be named by one printable word, not %q", b.Name))
	}
	for i, l := range b.Lines {
		if strings.ContainsAny(l, "\n\r\x00") {
			errs = append(errs, fmt.Errorf("line %d of block %s is more than one line: %q", i+1, b.Name, l))
		}
		if isMarker(l) {
			errs = append(errs, fmt.Errorf("line %d of block %s looks like the edge of a block: %q", i+1, b.Name, l))
		}
	}
	return errors.Join(errs...)
}

// span is where a block stands: its first line and the one after its last.
type span struct{ from, to int }

// find returns the blocks of this name in the order in which they stand.
func (b Block) find(lines []textLine) ([]span, error) {
	var out []span
	open := -1
	for i, l := range lines {
		switch text := strings.TrimSpace(l.text); {
		case text == b.begin() && open < 0:
			open = i
		case text == b.end() && open >= 0:
			out = append(out, span{open, i + 1})
			open = -1
		case text == b.end():
			return nil, fmt.Errorf("line %d is %q without its beginning: delete that line, and those above it that were in the block", i+1, text)
		case open >= 0 && isMarker(text):
			return nil, b.unended(open, fmt.Sprintf("before line %d, %q", i+1, text))
		}
	}
	if open >= 0 {
		return nil, b.unended(open, "before the file does")
	}
	return out, nil
}

func (b Block) unended(open int, where string) error {
	return fmt.Errorf("the block that begins at line %d, %q, does not end %s: put the line %q after its last line, or delete the block",
		open+1, b.begin(), where, b.end())
}

func isMarker(line string) bool {
	text := strings.TrimSpace(line)
	return strings.HasPrefix(text, "# BEGIN reveille ") || strings.HasPrefix(text, "# END reveille ")
}
