package userdata

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Why no mime/multipart and net/textproto: what cloud-init takes is decided by
// Python's email package, which ends the headers at the first line that is
// none, takes LF and CRLF mixed, and unquoted boundaries. The stricter readers
// would refuse user-data that works.

// isMessage is cloud-init's own test.
func isMessage(data []byte) bool {
	return bytes.Contains(bytes.ToLower(data[:min(len(data), 4096)]), []byte("mime-version:"))
}

// header has the first value of each field, by lower-case name.
type header map[string]string

var headerLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(From |[!-9;-~]*:|[\t ])`)
})

// cutHeader parts a message after its last header line; an empty line that
// follows is dropped.
func cutHeader(data []byte) (header, []byte) {
	h := header{}
	name := ""
	for len(data) > 0 {
		line, rest := cutLine(data)
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			return h, rest
		}
		if !headerLine().Match(line) {
			return h, data
		}
		data = rest
		if text[0] == ' ' || text[0] == '\t' {
			if name != "" {
				h[name] += " " + printable(strings.TrimSpace(text))
			}
			continue
		}
		n, value, _ := strings.Cut(text, ":")
		n = strings.ToLower(n)
		if name = n; strings.HasPrefix(text, "From ") {
			name = ""
		} else if _, twice := h[n]; twice {
			name = "" // the first counts; its continuation lines go with it
		} else {
			h[n] = printable(strings.TrimSpace(value))
		}
	}
	return h, nil
}

// cutLine returns the first line with its end (\n, \r\n or a \r alone, as
// Python has it) and what follows.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return data, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		i++
	}
	return data[:i+1], data[i+1:]
}

func (h header) mediaType() string {
	t, _, _ := strings.Cut(h["content-type"], ";")
	if t = strings.ToLower(strings.TrimSpace(t)); strings.Count(t, "/") != 1 {
		return typePlain
	}
	return clip(t)
}

func (h header) encoding() string {
	return clip(strings.ToLower(h["content-transfer-encoding"]))
}

func (h header) boundary() string { return param(h["content-type"], "boundary") }

func (h header) fileName() string {
	name := param(h["content-disposition"], "filename")
	if name == "" {
		name = param(h["content-type"], "name")
	}
	return clip(printable(name)) // RFC 2231 may have hidden what is not
}

// printable is free of what would disturb a terminal or a log line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
}

// clip bounds what is kept of a field.
func clip(s string) string {
	if r := []rune(s); len(r) > 255 {
		return string(r[:255])
	}
	return s
}

// param reads a parameter of a field, also of one that RFC 2045 would refuse
// (boundary=====1==, unquoted, is in use).
func param(field, name string) string {
	if _, params, err := mime.ParseMediaType(field); err == nil {
		return params[name]
	}
	for _, p := range strings.Split(field, ";")[1:] {
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// cutParts parts the body of a multipart. The line end before a boundary
// belongs to the boundary.
func cutParts(boundary string, body []byte) ([][]byte, error) {
	boundary = strings.TrimRight(boundary, " \t")
	if boundary == "" {
		return nil, errors.New("multipart without a boundary: give one in its Content-Type")
	}
	var parts [][]byte
	start := -1 // of the part that is being read
	for at := 0; at < len(body); {
		line, _ := cutLine(body[at:])
		text := bytes.TrimRight(line, " \t\r\n")
		rest, found := bytes.CutPrefix(text, []byte("--"+boundary))
		if last := string(rest) == "--"; found && (last || len(rest) == 0) {
			// Two boundary lines with nothing between them hold no part.
			if start >= 0 && start < at {
				parts = append(parts, trimLineEnd(body[start:at]))
			}
			if last {
				return parts, nil
			}
			start = at + len(line)
		}
		at += len(line)
	}
	if start < 0 {
		return nil, fmt.Errorf("multipart in which the line --%s never comes: give the boundary of its parts in its Content-Type", boundary)
	}
	return nil, fmt.Errorf("multipart that ends before its last line, --%s--: it is cut short, make it again", boundary)
}

func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
