package roles

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"reveille/roles/cite"
)

// The bounds of one document. A profile is a page or two: what is larger is a
// mistake or an attack, and the parser's work grows with the square of it.
const (
	maxDocument = 64 << 10 // bytes
	maxDepth    = 12       // maps and lists within each other
)

// shape is what kind of thing stands at a place of a document.
type shape int

// The shapes. The zero value is the value that is not there.
const (
	isNull shape = iota
	isText
	isInt
	isBool
	isOther // a float, a date: no key takes one
	isList
	isMap
)

func (s shape) String() string {
	return [...]string{"null", "text", "a whole number", "true or false", "a number or date", "a list", "a section"}[s]
}

// docNode is one value of a document with its place: all that the rest of the
// package sees of YAML.
type docNode struct {
	shape shape
	text  string
	items []*docNode
	pairs []docPair
	at    cite.Place
}

type docPair struct{ key, value *docNode }

// parseDocument reads one YAML document. An empty one is an empty map.
func parseDocument(file string, data []byte) (*docNode, Errors) {
	top := cite.Place{File: file, Line: 1, Column: 1}
	if len(data) > maxDocument {
		return nil, Errors{errorAt(top, "%d bytes is too large: at most %d are read", len(data), maxDocument)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bad := badText(file, data); bad != nil {
		return nil, Errors{bad}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return &docNode{shape: isMap, at: top}, nil
	case err != nil:
		return nil, Errors{syntaxError(file, data, err)}
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		at := cite.Place{File: file, Line: more.Line, Column: more.Column}
		return nil, Errors{errorAt(at, "a second document begins here: only one is read, so take the rest out")}
	case !errors.Is(err, io.EOF):
		return nil, Errors{syntaxError(file, data, err)}
	}
	c := converter{file: file}
	root := c.node(doc.Content[0], 0)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	if root.shape == isNull {
		return &docNode{shape: isMap, at: top}, nil
	}
	return root, nil
}

// badText finds bytes that are no UTF-8, and NULs, before the parser does:
// it would guess at another encoding.
func badText(file string, data []byte) *Error {
	at := cite.Place{File: file, Line: 1, Column: 1}
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			return errorAt(at, "byte 0x%02x is no UTF-8: save the file as UTF-8", data[0])
		case r == 0:
			return errorAt(at, "a NUL byte: save the file as plain text")
		case r == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		data, at.Column = data[n:], at.Column+1
	}
	return nil
}

var yamlLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)
})

// syntaxError gives the parser's error a place, and names a tab in the
// indentation, which the parser's own words hide.
func syntaxError(file string, data []byte, err error) *Error {
	at, say := cite.Place{File: file, Line: 1, Column: 1}, err.Error()
	if m := yamlLine().FindStringSubmatch(say); m != nil {
		say = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			at.Line = n
		}
	}
	for i, line := range strings.Split(string(data), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 && len(indent) < len(line) {
			return errorAt(cite.Place{File: file, Line: i + 1, Column: tab + 1}, "a tab in the indentation: YAML takes spaces only")
		}
	}
	return errorAt(at, "no valid YAML: %s", say)
}

// converter turns the parser's tree into ours and refuses what would let a
// small document stand for a large one, or say a thing in a second way.
type converter struct {
	file string
	errs Errors
}

func (c *converter) node(n *yaml.Node, depth int) *docNode {
	out := &docNode{at: cite.Place{File: c.file, Line: max(n.Line, 1), Column: max(n.Column, 1)}}
	refuse := func(format string, args ...any) *docNode {
		c.errs = append(c.errs, errorAt(out.at, format, args...))
		return out
	}
	switch {
	case depth > maxDepth:
		return refuse("more than %d levels within each other: no key is that deep", maxDepth)
	case n.Kind == yaml.AliasNode:
		return refuse("the alias *%s is not taken: write the value out", n.Value)
	case n.Anchor != "":
		return refuse("the anchor &%s is not taken: aliases are not, so leave it out", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return refuse("the type %s is not taken: leave it out", n.ShortTag())
	}
	switch n.Kind {
	case yaml.SequenceNode:
		out.shape = isList
		for _, item := range n.Content {
			out.items = append(out.items, c.node(item, depth+1))
		}
	case yaml.MappingNode:
		out.shape = isMap
		for i := 0; i+1 < len(n.Content); i += 2 {
			out.pairs = append(out.pairs, docPair{c.key(n.Content[i]), c.node(n.Content[i+1], depth+1)})
		}
	default:
		out.text = n.Value
		out.shape = scalarShape(n.ShortTag())
	}
	return out
}

// key reads the left side of a map's entry, which is always text here.
func (c *converter) key(n *yaml.Node) *docNode {
	out := &docNode{shape: isText, text: n.Value, at: cite.Place{File: c.file, Line: max(n.Line, 1), Column: max(n.Column, 1)}}
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		c.errs = append(c.errs, errorAt(out.at, "the merge key << is not taken: write the keys out"))
	case n.Kind != yaml.ScalarNode, n.Anchor != "", n.Style&yaml.TaggedStyle != 0:
		c.errs = append(c.errs, errorAt(out.at, "a key must be plain text"))
	}
	return out
}

func scalarShape(tag string) shape {
	switch tag {
	case "!!null":
		return isNull
	case "!!str":
		return isText
	case "!!int":
		return isInt
	case "!!bool":
		return isBool
	}
	return isOther
}
