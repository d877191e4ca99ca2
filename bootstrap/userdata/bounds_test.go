package userdata

import (
	"runtime"
	"strings"
	"testing"
)

// TestRefused holds every error to its place and its remedy.
func TestRefused(t *testing.T) {
	script := typed(typeScript, "#!/bin/sh\n")
	deep := typed(typeReveille, "hostname=a")
	for _, b := range "abcde" {
		deep = multi(string(b), deep)
	}
	zipPart := func(data string) string {
		return part(b64(zip(t, data)), "Content-Type: application/gzip", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=z.gz")
	}
	half := strings.Repeat("#", MaxOut/2)
	cases := []struct {
		name, raw string
		want      []string
	}{
		{"raw", strings.Repeat("#", MaxRaw+1), []string{"user-data: more than EC2's limit of 16384 bytes (MaxRaw)", "userdata build"}},
		{"out", zip(t, strings.Repeat("#", MaxOut+1)), []string{"user-data: ", "1048576", "(MaxOut)", "leave out"}},
		{"out, of two parts together", multi("x", zipPart(half), script, zipPart(half+"##")), []string{"part 3 (z.gz): ", "(MaxOut)"}},
		{"out, of the whole and a part", zip(t, multi("x", zipPart(half), typed("text/x-acme", half))), []string{"part 1 (z.gz): ", "(MaxOut)"}},
		{"yaml", zip(t, "#reveille\n"+strings.Repeat("a: b\n", MaxYAML/5)), []string{"user-data: ", "65545 bytes", "(MaxYAML)", "role file"}},
		{"parts", multi("x", strings.Split(strings.Repeat(script+"|", MaxParts)+script, "|")...), []string{"part 33: ", "more than 32 parts (MaxParts)", "into one"}},
		{"depth", deep, []string{"part 1.1.1.1: ", "more than 4 deep (MaxDepth)", "outer"}},
		{"depth of messages", "MIME-Version: 1.0\n" + strings.Repeat("Content-Type: message/rfc822\n\n", 5), []string{"user-data: ", "(MaxDepth)"}},

		{"gzip cut short", zip(t, keyValue)[:20], []string{"user-data: broken gzip: unexpected EOF: compress it again"}},
		{"gzip header alone", "\x1f\x8b", []string{"user-data: broken gzip: unexpected EOF"}},
		{"gzip with a bad checksum", zip(t, keyValue)[:40] + "xxxxxxxx", []string{"user-data: broken gzip"}},
		{"gzip with text behind it", zip(t, keyValue) + "hello", []string{"user-data: broken gzip: what follows its first data"}},
		{"gzip part that is none", multi("x", script, typed("application/gzip", "hello")), []string{"user-data part 2: broken gzip"}},
		{"no boundary", "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--x\n", []string{"user-data: multipart without a boundary", "Content-Type"}},
		{"inner without a boundary", multi("x", script, typed("multipart/mixed", "--y\n")), []string{"user-data part 2: multipart without a boundary"}},
		{"boundary that never comes", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=y\n\n--x\n", []string{"the line --y never comes"}},
		{"cut short", strings.TrimSuffix(multi("x", script), "--x--\n"), []string{"user-data: multipart that ends before its last line, --x--", "make it again"}},
		{"broken base64", multi("x", part("a*", "Content-Transfer-Encoding: base64", "Content-Type: text/x-reveille; name=h")), []string{"user-data part 1 (h): declared as base64", "encode it again"}},
		{"broken quoted-printable", multi("x", part("a\x01", "Content-Transfer-Encoding: quoted-printable")), []string{"part 1: declared as quoted-printable"}},
		{"uuencode", multi("x", part("begin", "Content-Transfer-Encoding: x-uuencode")), []string{"part 1: encoding x-uuencode is not read: use base64"}},
		{"empty line before the headers", "\n" + multi("x", script), []string{"user-data: MIME headers that are not read", "first line"}},
		{"no MIME-Version", strings.Replace(multi("x", script), "MIME-Version: 1.0\n", "", 1), []string{"`MIME-Version: 1.0`"}},
		{"ours, not UTF-8", "hostname=a\nowner=\xe9\n", []string{"user-data: line 2 is not UTF-8"}},
		{"two broken parts", multi("x", typed("application/gzip", "a"), part("*", "Content-Transfer-Encoding: base64")), []string{"part 1: broken gzip", "part 2: declared as base64"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			parts, err := Split([]byte(c.raw), ours)
			if err == nil || parts != nil {
				t.Fatalf("Split = %d parts, %v; want an error and none", len(parts), err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q\nlacks %q", err, w)
				}
			}
		})
	}
}

// TestAtTheBounds holds the bounds to what they say: the last one is allowed.
func TestAtTheBounds(t *testing.T) {
	script := typed(typeScript, "#!/bin/sh\n")
	deep := typed(typeReveille, "hostname=a")
	for _, b := range "abcd" {
		deep = multi(string(b), deep)
	}
	for name, raw := range map[string]string{
		"raw":   strings.Repeat("#", MaxRaw),
		"out":   zip(t, strings.Repeat("#", MaxOut)),
		"yaml":  zip(t, "#reveille\n"+strings.Repeat("a: b\n", (MaxYAML-10)/5)),
		"parts": multi("x", strings.Split(strings.Repeat(script+"|", MaxParts-1)+script, "|")...),
		"depth": deep,
	} {
		if _, err := Split([]byte(raw), ours); err != nil {
			t.Errorf("%s at its bound: %v", name, err)
		}
	}
}

// TestBombEndsInTheBound: 16 KiB of gzip hold 16 MB, which never come to be.
func TestBombEndsInTheBound(t *testing.T) {
	const inside = 16000000
	bomb := []byte(zip(t, strings.Repeat("\x00", inside)))
	if len(bomb) > MaxRaw {
		t.Fatalf("bomb of %d bytes is stopped by MaxRaw", len(bomb))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Split(bomb, ours)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "MaxOut") {
		t.Errorf("a bomb ended in %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used >= inside {
		t.Errorf("allocated %d bytes: the whole bomb", used)
	}
}
