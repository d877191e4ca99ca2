package block

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seed adds what the tool really said.
func seed(f *testing.F, folder string) {
	files, err := filepath.Glob("testdata/" + folder + "/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no testdata/%s: %v", folder, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
}

// A member has an identity, or the text is none of an array's, or an error.
func FuzzMember(f *testing.F) {
	seed(f, "mdadm-examine")
	seed(f, "mdadm-detail")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMember(text)
		if m.UUID == "" && m != (Member{}) {
			t.Errorf("a member of nothing: %+v", m)
		}
		if err == nil && m.UUID == "" && len(exported(text)) > 0 {
			t.Errorf("%q was passed over", text)
		}
	})
}

// What is read of a report was in it: no volume comes from nowhere, and a text
// that is no report is an error and not an empty one.
func FuzzLVM(f *testing.F) {
	seed(f, "lvm")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLVM([]byte(text))
		if err == nil && !strings.Contains(strings.ToLower(text), `rep`) && !strings.Contains(text, `\u`) {
			t.Errorf("%q is a report", text)
		}
		if n := len(l.PVs) + len(l.VGs) + len(l.LVs); n > strings.Count(text, "{")+strings.Count(text, "null") {
			t.Errorf("%d things of %q", n, text)
		}
	})
}

// Whatever LVM says, a copy is a device that it named beside a UUID.
func FuzzCopies(f *testing.F) {
	seed(f, "lvm-says")
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range copies(text) {
			if c.Node == "" || c.UUID == "" || !strings.Contains(text, "Not using device "+c.Node+" for PV "+c.UUID) {
				t.Errorf("%+v of %q", c, text)
			}
		}
		if len(warnings([]byte(text))) > 410 || strings.Contains(warnings([]byte(text)), "\n") {
			t.Errorf("%q", warnings([]byte(text)))
		}
	})
}

// Whoever says a TYPE or a PTTYPE holds something.
func FuzzProbe(f *testing.F) {
	seed(f, "blkid")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseProbe(text)
		if c.Type == "" && c != (Content{}) {
			t.Errorf("nothing, with %+v", c)
		}
		for line := range strings.Lines(text) {
			if v, ok := strings.CutPrefix(line, "TYPE="); ok && strings.Trim(v, "\\\r\n") != "" && strings.Count(text, "TYPE=") == 1 && c.Type == "" {
				t.Errorf("%q holds nothing", text)
			}
		}
	})
}

// Nothing is read as a device without a signature but silence and an empty
// list.
func FuzzSignatures(f *testing.F) {
	seed(f, "wipefs")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseSignatures([]byte(text))
		if err != nil || len(found) > 0 || strings.TrimSpace(text) == "" {
			return
		}
		var said map[string][]any
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			return // other keys, of other types
		}
		for key, list := range said {
			if strings.EqualFold(key, "signatures") && list != nil && len(list) == 0 {
				return
			}
		}
		t.Errorf("%q has no signature", text)
	})
}

// A table of mounts is read whole or not at all.
func FuzzMounts(f *testing.F) {
	seed(f, "proc")
	f.Fuzz(func(t *testing.T, text string) {
		mounts, err := parseMounts(text)
		lines := strings.Count(text, "\n")
		if !strings.HasSuffix(text, "\n") && text != "" {
			lines++
		}
		if err == nil && len(mounts) != lines {
			t.Errorf("%d mounts of %d lines", len(mounts), lines)
		}
		for _, node := range parseSwaps(text) {
			if !strings.HasPrefix(node, "/") && !strings.HasPrefix(node, `\`) {
				t.Errorf("swap on %q", node)
			}
		}
	})
}
