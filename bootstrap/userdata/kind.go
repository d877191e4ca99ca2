package userdata

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

const (
	typeReveille    = "text/x-reveille"
	typeCloudConfig = "text/cloud-config"
	typeScript      = "text/x-shellscript"
	typePlain       = "text/plain"
	typeNone        = "text/x-not-multipart" // cloud-init's name for a whole that says nothing of its type
)

// firstLines are the beginnings that tell a type, longest first where one
// begins with another. All but ours are cloud-init's. "#upstart-job" is not
// here because cloud-init no longer takes it.
var firstLines = []struct{ begin, typ string }{
	{"#reveille", typeReveille},
	{"#cloud-config-archive", "text/cloud-config-archive"},
	{"#cloud-config-jsonp", "text/cloud-config-jsonp"},
	{"#cloud-config", typeCloudConfig},
	{"#cloud-boothook", "text/cloud-boothook"},
	{"#part-handler", "text/part-handler"},
	{"#include-once", "text/x-include-once-url"},
	{"#include", "text/x-include-url"},
	{"## template: jinja", "text/jinja2"},
	{"#!", typeScript},
}

// gzipTypes are the types whose data cloud-init decompresses.
var gzipTypes = map[string]bool{
	"application/gzip": true, "application/gzip-compressed": true, "application/gzipped": true,
	"application/x-compress": true, "application/x-compressed": true, "application/x-gunzip": true,
	"application/x-gzip": true, "application/x-gzip-compressed": true,
}

// cloudInitTypes are taken by cloud-init although no first line tells them.
var cloudInitTypes = map[string]bool{
	"text/x-shellscript-per-boot": true, "text/x-shellscript-per-instance": true, "text/x-shellscript-per-once": true,
}

// byFirstLine is the type that the beginning tells, "" where it tells none.
// Case and leading white space do not count, as cloud-init has it.
func byFirstLine(data []byte) string {
	data = bytes.TrimLeftFunc(data, unicode.IsSpace)
	data = bytes.ToLower(data[:min(len(data), 64)])
	for _, f := range firstLines {
		rest, ok := bytes.CutPrefix(data, []byte(f.begin))
		// Ours is a whole line: #reveilled is a comment of somebody else.
		if ok && (f.typ != typeReveille || len(rest) == 0 || unicode.IsSpace(rune(rest[0]))) {
			return f.typ
		}
	}
	return ""
}

// maybeOurs says that a part so declared may turn out to be ours. The whole is
// not among them: its gzip is taken off before, and once.
func maybeOurs(declared string) bool {
	switch declared {
	case typeReveille, typeCloudConfig, typePlain:
		return true
	}
	return false
}

// classify finds the type, and the form in which the part may speak to us.
// cloud-init looks at the first line where the type says nothing, and of
// scripts, because others have been declared as such.
func classify(declared string, data []byte, ours func(string) bool) (string, Form) {
	typ := declared
	switch declared {
	case typePlain, typeNone, typeScript:
		if t := byFirstLine(data); t != "" {
			typ = t
		} else if declared != typeScript && isKeyValue(data, ours) {
			typ = typeReveille
		}
	}
	switch {
	case typ == typeCloudConfig:
		return typ, CloudConfig
	case typ != typeReveille:
		return typ, NotOurs
	case byFirstLine(data) == typeReveille:
		return typ, YAML
	}
	return typ, KeyValue
}

// isKeyValue says that every line that is not blank or a comment is key=value,
// and that one key is ours.
func isKeyValue(data []byte, ours func(string) bool) bool {
	key, other := keyLines(data, ours)
	return key != "" && other == 0
}

// near says why text that has a key of ours is not ours: one line of prose
// among a hundred settings must not let them be passed over in silence.
func near(data []byte, ours func(string) bool) string {
	key, other := keyLines(data, ours)
	if key == "" || other == 0 {
		return ""
	}
	return fmt.Sprintf("it has %s=, but line %d is not key=value, so none of it counts", key, other)
}

// keyLines finds the first key that is ours, and the first line (counted from
// 1; 0: none) that is neither blank, nor a comment, nor key=value.
func keyLines(data []byte, ours func(string) bool) (key string, other int) {
	for i, line := range strings.Split(newlines.Replace(string(data)), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, _, ok := strings.Cut(line, "=")
		k = strings.TrimSpace(k)
		switch {
		case !ok || !isKey(k):
			if other == 0 {
				other = i + 1
			}
		case key == "" && ours(k):
			key = k
		}
	}
	return key, other
}

func isKey(s string) bool {
	for _, c := range s {
		if c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_.-", c) {
			return false
		}
	}
	return s != ""
}
