package userdata

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSplit: no panic, the bounds hold, and what is ours can be read.
func FuzzSplit(f *testing.F) {
	for _, c := range append(wholeCases(f), mimeCases(f)...) {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, err := Split(raw, ours)
		if err != nil && parts != nil {
			t.Fatal("parts beside an error")
		}
		if err == nil && len(raw) > MaxRaw {
			t.Fatalf("%d bytes taken", len(raw))
		}
		if len(parts) > MaxParts {
			t.Fatalf("%d parts", len(parts))
		}
		for _, p := range parts {
			if p.Size > MaxOut || len(p.Text) > MaxYAML || p.Form == NotOurs && p.Text != "" {
				t.Fatalf("part out of bounds: %d bytes, %d of text, form %q", p.Size, len(p.Text), p.Form)
			}
			if !utf8.ValidString(p.Text+p.Name+p.Type) || strings.ContainsAny(p.Text, "\r") || strings.ContainsFunc(p.Name+p.Type, isControl) {
				t.Fatalf("not fit to print: %+v", p)
			}
		}
		l, showErr := Show(raw, ours)
		if (err == nil) != (showErr == nil) || err == nil && len(l.Parts) != len(parts) {
			t.Fatalf("Show has %d parts, %v; Split %d, %v", len(l.Parts), showErr, len(parts), err)
		}
	})
}

// FuzzReveilleLines: kept lines stand where they stood, and taking them again
// changes nothing.
func FuzzReveilleLines(f *testing.F) {
	for _, doc := range []string{config, "reveille: {a: [b, 'c'],\n d: \"e\"}\n", "--- # x\n a: |\n  b\n reveille:\n - c\n", "{reveille: 1}", "? reveille\n", "a: \"\nreveille:\n", "a: &x !y\n  'z'\n...\nreveille: >+1\n"} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		doc = newlines.Replace(doc)
		got, err := reveilleLines(doc)
		if err != nil {
			return
		}
		in := strings.Split(doc, "\n")
		for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
			if line != "" && line != in[i] && line != strings.Replace(in[i], "---", "   ", 1) {
				t.Fatalf("line %d is %q, was %q", i+1, line, in[i])
			}
		}
		if again, err := reveilleLines(got); err != nil || again != got {
			t.Fatalf("again: %q, %v; was %q", again, err, got)
		}
	})
}

// FuzzBuildSplit: what Build made, Split takes apart into the same bytes.
func FuzzBuildSplit(f *testing.F) {
	f.Add("a.sh", []byte("#!/bin/sh\n"), "b", []byte(yamlDoc))
	f.Add("é \"x\"", []byte("#cloud-config\na: ü  \n"), "y/z", []byte("hostname=a\r\n"))
	f.Add("bin", []byte("#!\x00\xff\r"), "long", []byte("#include "+strings.Repeat("x", 2000)))
	f.Add("from", []byte("#!/bin/sh\nFrom me\n.\n--\n\n"), "tail", []byte("#cloud-boothook  \n\n\n"))
	f.Fuzz(func(t *testing.T, n1 string, d1 []byte, n2 string, d2 []byte) {
		in := []File{{n1, d1}, {n2, d2}}
		raw, err := Build(in, ours)
		if err != nil {
			return
		}
		w, err := walk(raw, ours)
		if err != nil || len(w.leaves) != len(in) {
			t.Fatalf("%d parts, %v", len(w.leaves), err)
		}
		h, body := cutHeader(unzip(t, raw))
		bodies, err := cutParts(h.boundary(), body)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range bodies {
			h, b := cutHeader(b)
			data, err := decode(h.encoding(), b)
			if err != nil || !bytes.Equal(data, in[i].Data) {
				t.Fatalf("part %d: %q, %v; was %q", i, data, err, in[i].Data)
			}
			if l := w.leaves[i]; !strings.HasSuffix(in[i].Name, l.Name) && !strings.HasSuffix(in[i].Name, l.Name+"/") || l.Size != len(data) {
				t.Fatalf("part %d: %+v; was %q with %d bytes", i, l.Part, in[i].Name, len(data))
			}
		}
	})
}
