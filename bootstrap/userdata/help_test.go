package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"
)

// ours knows what the schema would, and enough for these tests.
func ours(key string) bool {
	return key == "hostname" || key == "role" || key == "resolver.timeout"
}

func zip(t testing.TB, data string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// multi is a multipart of the given parts, each with its own headers.
func multi(boundary string, parts ...string) string {
	s := "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\nMIME-Version: 1.0\n\n"
	for _, p := range parts {
		s += "--" + boundary + "\n" + p + "\n"
	}
	return s + "--" + boundary + "--\n"
}

// part is one part; fields are whole header lines.
func part(body string, fields ...string) string {
	return strings.Join(append(fields, "", body), "\n")
}

func typed(typ, body string) string { return part(body, "Content-Type: "+typ) }
