package userdata

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"unicode/utf8"
)

// maxLine is the longest line that RFC 5322 allows without its end.
const maxLine = 998

// encode chooses the transfer encoding that keeps every byte in cloud-init's
// hands and compresses best. Text of other than ASCII never goes as 8bit:
// Python's email package reads é there as the one byte E9, and cloud-init goes
// on with broken text.
func encode(data []byte) (string, []byte, error) {
	switch {
	case isPlainText(data):
		return "7bit", data, nil
	case !utf8.Valid(data) || bytes.ContainsFunc(data, isControl):
		return "base64", wrap(base64.StdEncoding.EncodeToString(data)), nil
	}
	var out bytes.Buffer
	q := quotedprintable.NewWriter(&out)
	if _, err := q.Write(data); err != nil {
		return "", nil, fmt.Errorf("encode: %w", err)
	}
	if err := q.Close(); err != nil {
		return "", nil, fmt.Errorf("encode: %w", err)
	}
	// The writer ends lines in CRLF; data has no CR here, so that none of
	// those is the file's own.
	return "quoted-printable", bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte("\n")), nil
}

// isPlainText says that data may stand in a message as it is.
func isPlainText(data []byte) bool {
	for _, line := range bytes.Split(data, []byte("\n")) {
		if len(line) > maxLine {
			return false
		}
	}
	return !bytes.ContainsFunc(data, func(r rune) bool { return r >= utf8.RuneSelf || isControl(r) })
}

// isControl is true of \r as well: readers turn a CRLF into LF.
func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }

// wrap breaks base64 into lines.
func wrap(s string) []byte {
	var out bytes.Buffer
	for len(s) > 76 {
		out.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	out.WriteString(s)
	return out.Bytes()
}
