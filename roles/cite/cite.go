// Package cite says where something stands in a text, and shows its words, as
// errors and notes do. It must not know what any text means.
package cite

import "fmt"

// Place is where something stands in a document or a file.
type Place struct {
	File   string // a path, or a name such as "user-data part 2"
	Line   int    // 1-based; 0: no line of it says so
	Column int    // 1-based, in characters; 0: none in particular
}

// String is "file:line", or the file alone.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Quote is a value as errors and notes show it: escaped, and cut where it is
// long.
func Quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%q…", string(r[:most]))
	}
	return fmt.Sprintf("%q", s)
}
