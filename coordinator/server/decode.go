package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"reveille/coordinator/api"
)

// maxDepth of a report's JSON. A report needs 4; readers that recurse, in
// other languages, stop at a few hundred.
const maxDepth = 32

// decode reads a report strictly in what is known and keeps what is not. The
// document that it returns means the same, but holds no key twice, no space,
// and no character that steers a terminal other than as an escape.
func decode(body []byte) (api.Report, json.RawMessage, error) {
	var r api.Report
	if !utf8.Valid(body) {
		return r, nil, errors.New("not UTF-8")
	}
	if depth(body) > maxDepth {
		return r, nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	raw, keys, err := canonical(body)
	if err != nil {
		return r, nil, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return r, nil, fmt.Errorf("%s: %s where %s belongs", wrong.Field, wrong.Value, kind(wrong))
		}
		return r, nil, err
	}
	var missing []error
	for _, k := range []string{"version", "instance_id", "state"} {
		if !keys[k] {
			missing = append(missing, fmt.Errorf("%s: missing", k))
		}
	}
	if len(missing) > 0 {
		return r, nil, errors.Join(missing...)
	}
	return r, raw, r.Check()
}

// depth is how deep brackets nest, strings aside.
func depth(body []byte) int {
	level, deepest, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// canonical copies the top level key by key. A key that comes twice is
// refused, in whatever case: readers differ on which of the two counts, and
// one of them could name another instance. "received" is the coordinator's own.
func canonical(body []byte) (json.RawMessage, map[string]bool, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, malformed("a report is a JSON object", err)
	}
	keys, folded := map[string]bool{}, map[string]bool{}
	out := bytes.NewBufferString("{")
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		var value json.RawMessage
		if err == nil && ok {
			err = dec.Decode(&value)
		}
		if err != nil || !ok {
			return nil, nil, malformed("no valid JSON", err)
		}
		fold := strings.ToLower(strings.ToUpper(key))
		if folded[fold] {
			return nil, nil, fmt.Errorf("the key %.80q comes twice", key)
		}
		folded[fold] = true
		if fold == "received" {
			continue
		}
		keys[key] = string(value) != "null"
		name, err := json.Marshal(key)
		if err != nil {
			return nil, nil, err
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(append(append(name, ':'), value...))
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, malformed("no valid JSON", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows the report")
	}
	out.WriteByte('}')
	var tight bytes.Buffer
	if err := json.Compact(&tight, out.Bytes()); err != nil {
		return nil, nil, err
	}
	return escape(tight.Bytes()), keys, nil
}

func malformed(what string, err error) error {
	var at *json.SyntaxError
	switch {
	case errors.As(err, &at):
		return fmt.Errorf("%s: byte %d: %w", what, at.Offset, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: it ends too early", what)
	case err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	return errors.New(what)
}

// escape writes unprintable characters of valid JSON as \u escapes: control
// characters beyond ASCII's, marks that turn the reading direction, tags.
func escape(raw []byte) []byte {
	plain := func(r rune) bool { return r < 0x7f || unicode.IsPrint(r) }
	if bytes.IndexFunc(raw, func(r rune) bool { return !plain(r) }) < 0 {
		return raw
	}
	var out bytes.Buffer
	for _, r := range string(raw) {
		switch {
		case plain(r):
			out.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// kind is what a field takes, in JSON's words rather than Go's.
func kind(e *json.UnmarshalTypeError) string {
	switch name := e.Type.Kind().String(); {
	case name == "string", name == "struct":
		return map[string]string{"string": "a string", "struct": "an object"}[name]
	case name == "slice":
		return "a list"
	case name == "bool":
		return "true or false"
	case strings.HasPrefix(name, "int"):
		return "a whole number"
	default:
		return "a number"
	}
}
