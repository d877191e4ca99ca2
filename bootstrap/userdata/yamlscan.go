package userdata

import "strings"

// yamlScan follows as much of YAML, a line at a time, as tells where a line
// begins: at the top level, or inside a quoted, flow, block or plain scalar
// that began above. It is no parser: package roles has that.
type yamlScan struct {
	depth int  // open [ and {
	quote byte // the open quote, ' or "
	under int  // lines indented deeper than this go on with a scalar; -1 is none

	fresh bool // a token may begin here
	plain bool // in a plain scalar
	owner int  // column of the key or dash that owns the next scalar
	node  int  // column where the present token began

	flowKey bool // the key reveille was seen in the outermost { }
}

func newYAMLScan() *yamlScan { return &yamlScan{under: -1} }

// open says that the next line begins inside brackets or quotes.
func (y *yamlScan) open() bool { return y.depth > 0 || y.quote != 0 }

// goesOn says that line goes on with what began above it.
func (y *yamlScan) goesOn(line string) bool {
	return y.open() || y.under >= 0 && (isBlank(line) || indent(line) > y.under)
}

// line reads one line, without its end.
func (y *yamlScan) line(s string) {
	i := indent(s)
	if !y.open() {
		if y.goesOn(s) {
			return
		}
		*y = yamlScan{under: -1, fresh: true, owner: i - 1, node: i, flowKey: y.flowKey}
	}
	for i < len(s) {
		c := s[i]
		switch {
		case y.quote != 0:
			i = y.inQuote(s, i)
			continue
		case c == ' ' || c == '\t':
		case c == '#' && (i == 0 || isSpace(s[i-1])):
			i = len(s)
			continue
		case y.fresh:
			i = y.begin(s, i)
			continue
		default:
			y.within(s, i)
		}
		i++
	}
	if y.plain && !y.open() {
		y.under = y.owner
	}
}

// begin reads the first byte of a token, or more, and returns what follows.
func (y *yamlScan) begin(s string, i int) int {
	if y.depth == 1 && keyAt(s[i:]) {
		y.flowKey = true
	}
	y.plain = false
	switch c := s[i]; {
	case c == '"' || c == '\'':
		y.quote, y.fresh, y.node = c, false, i
	case c == '[' || c == '{':
		y.depth++
	case c == ']' || c == '}':
		y.depth, y.fresh = max(0, y.depth-1), false
	case c == ',' && y.depth > 0:
	case (c == '-' || c == '?' || c == ':') && endsAt(s, i+1):
		y.owner = i
	case (c == '|' || c == '>') && y.depth == 0 && isBlockHeader(s[i+1:]):
		y.under = y.owner
		return len(s)
	case c == '&' || c == '!':
		for i < len(s) && !isSpace(s[i]) {
			i++
		}
		return i
	default:
		y.plain, y.fresh, y.node = true, false, i
	}
	return i + 1
}

// within reads a byte inside a plain scalar, or behind any value.
func (y *yamlScan) within(s string, i int) {
	switch c := s[i]; {
	case c == ':' && (endsAt(s, i+1) || y.depth > 0 && (!y.plain || strings.ContainsRune(",[]{}", rune(s[i+1])))):
		y.fresh, y.plain = true, false
		if y.depth == 0 {
			y.owner = y.node
		}
	case y.depth == 0:
	case c == ',':
		y.fresh, y.plain = true, false
	case c == '[' || c == '{':
		y.depth++
		y.fresh, y.plain = true, false
	case c == ']' || c == '}':
		y.depth--
		y.plain = false
	}
}

// inQuote reads up to and with the closing quote.
func (y *yamlScan) inQuote(s string, i int) int {
	for ; i < len(s); i++ {
		switch {
		case y.quote == '"' && s[i] == '\\':
			i++
		case s[i] != y.quote:
		case y.quote == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		default:
			y.quote = 0
			return i + 1
		}
	}
	return len(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isBlank(s string) bool { return strings.Trim(s, " \t") == "" }

func indent(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

func endsAt(s string, i int) bool { return i >= len(s) || isSpace(s[i]) }

// isBlockHeader reads what follows | or >.
func isBlockHeader(s string) bool {
	rest := strings.TrimLeft(s, "0123456789+-")
	return isBlank(rest) || isSpace(rest[0]) && strings.HasPrefix(strings.TrimLeft(rest, " \t"), "#")
}
