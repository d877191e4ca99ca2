package userdata

import (
	"errors"
	"fmt"
	"strings"
)

var errStyle = errors.New("cloud-config whose key reveille is not on a line of its own: write it as `reveille:`, not in brackets or after a question mark")

// reveilleLines returns the lines of the top-level key reveille of a
// cloud-config, with empty lines in place of all others; "" where there is no
// such key. The text has \n line ends.
//
// It errs where cloud-init, or a reader of the whole, would see something else
// than the lines: a second document, a quote or bracket that is never closed,
// the key within a { } of the whole.
func reveilleLines(text string) (string, error) {
	if !strings.Contains(text, "reveille") {
		return "", nil
	}
	c := configLines{scan: newYAMLScan(), base: -1}
	var out strings.Builder
	end := 0 // of the last line kept: blank ones behind it are dropped
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line, ok := c.next(i+1, line); ok {
			out.WriteString(line)
			end = out.Len() + 1
		}
		out.WriteByte('\n')
	}
	switch {
	case c.doubt > 0 && c.scan.open():
		return "", fmt.Errorf("cloud-config in which a quote or bracket before line %d is never closed: close it", c.doubt)
	case c.complex || c.flow && c.scan.flowKey:
		return "", errStyle
	case end > 0 && c.second > 0:
		return "", fmt.Errorf("cloud-config with a second YAML document at line %d: cloud-init takes none of it; put all into one", c.second)
	}
	return out.String()[:end], nil
}

// configLines tells the lines of the key from the others.
type configLines struct {
	scan    *yamlScan
	base    int  // column of the top-level keys; -1 before the first
	keep    bool // in the key's lines
	flow    bool // the whole is a { }
	complex bool // ? reveille
	ended   bool // behind a ...
	second  int  // line where a second document begins
	doubt   int  // first line that would be the key but for an open quote or bracket
}

// next says whether to keep a line, and what of it.
func (c *configLines) next(number int, line string) (string, bool) {
	col := indent(line)
	if c.scan.goesOn(line) {
		if c.scan.open() && c.doubt == 0 && col <= c.base && keyAt(line[col:]) {
			c.doubt = number
		}
		c.scan.line(line)
		return line, c.keep
	}
	if isBlank(line) || line[col] == '#' || c.base < 0 && line[0] == '%' {
		return line, c.keep && col > c.base // a comment at the top belongs to nobody
	}
	if isMarker(line) {
		line, col = c.marker(number, line)
		if isBlank(line) || line[col] == '#' {
			return "", false
		}
	}
	if c.ended && c.second == 0 {
		c.second = number
	}
	if c.base < 0 {
		c.base, c.flow = col, line[col] == '{'
	}
	if col <= c.base && !(line[col] == '-' && endsAt(line, col+1)) {
		c.keep = keyAt(line[col:])
		c.complex = c.complex || line[col] == '?' && isComplexKey(line[col+1:])
	}
	c.scan.line(line)
	return line, c.keep
}

// marker reads --- and ..., and puts spaces in its place.
func (c *configLines) marker(number int, line string) (string, int) {
	if line[0] == '.' {
		c.ended = true
	} else if c.base >= 0 && c.second == 0 {
		c.second = number
	}
	c.keep = false
	line = "   " + line[3:]
	return line, indent(line)
}

func isMarker(line string) bool {
	return (strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")) && endsAt(line, 3)
}

// keyAt says that s begins with the key, plain or quoted.
func keyAt(s string) bool {
	for _, k := range []string{`reveille`, `"reveille"`, `'reveille'`} {
		rest, ok := strings.CutPrefix(s, k)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(rest, ":") && (k[0] != 'r' || endsAt(rest, 1)) {
			return true
		}
	}
	return false
}

func isComplexKey(s string) bool {
	return strings.Trim(strings.TrimSpace(s), `'"`) == "reveille"
}
