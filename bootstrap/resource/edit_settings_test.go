package resource

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var waitEdit = Settings{Section: "autofs", Values: []Setting{{"mount_wait", "5"}, {"browse_mode", "no"}}}

// Debian's own file: browse_mode stands there, mount_wait in a comment alone.
func TestSettingsOnDebiansFile(t *testing.T) {
	old := readTest(t, "autofs", "debian12.conf")
	got, err := waitEdit.Apply(old)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(old), "[ autofs ]\n", "[ autofs ]\nmount_wait = 5\n", 1); string(got) != want {
		t.Errorf("edited (-want +got):\n%s", cmp.Diff(want, string(got)))
	}
	back, err := waitEdit.Undo(got, old)
	if err != nil || string(back) != string(old) {
		t.Errorf("undone (error %v; -want +got):\n%s", err, cmp.Diff(string(old), string(back)))
	}
}

func TestSettings(t *testing.T) {
	const both = "mount_wait = 5\nbrowse_mode = no\n"
	for name, c := range map[string]struct{ old, want string }{
		"no file":               {"", ""},
		"set":                   {"[ autofs ]\n" + both, "[ autofs ]\n" + both},
		"another value":         {"[ autofs ]\n  mount_wait=-1\nBROWSE_MODE = yes # x\n", "[ autofs ]\n  mount_wait = 5\nbrowse_mode = no\n"},
		"as close as it gets":   {"[autofs]\nmount_wait=5\n\tBrowse_Mode =no\n", "[autofs]\nmount_wait=5\n\tBrowse_Mode =no\n"},
		"before any section":    {"mount_wait = 1\n[ amd ]\nmount_wait = 2\n", "browse_mode = no\nmount_wait = 5\n[ amd ]\nmount_wait = 2\n"},
		"no such section":       {"[ amd ]\nmount_wait = 2\n", both + "[ amd ]\nmount_wait = 2\n"},
		"twice":                 {"[ autofs ]\nmount_wait = 1\nmount_wait = 2\nbrowse_mode = no\n", "[ autofs ]\nmount_wait = 5\nmount_wait = 5\nbrowse_mode = no\n"},
		"a comment":             {"[ autofs ]\n#mount_wait = 1\n", "[ autofs ]\n" + both + "#mount_wait = 1\n"},
		"no newline at the end": {"[ autofs ]", "[ autofs ]\n" + both},
		"carriage returns":      {"[ autofs ]\r\nx = y\r\n", "[ autofs ]\r\nmount_wait = 5\r\nbrowse_mode = no\r\nx = y\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := waitEdit.Apply([]byte(c.old))
			if err != nil || string(got) != c.want {
				t.Fatalf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
			back, err := waitEdit.Undo(got, []byte(c.old))
			if err != nil || string(back) != c.old {
				t.Errorf("undone: error %v (-want +got):\n%s", err, cmp.Diff(c.old, string(back)))
			}
		})
	}
}

func TestSettingsUndoOnChangedFile(t *testing.T) {
	const original = "[ autofs ]\nbrowse_mode = yes\n"
	for name, c := range map[string]struct{ now, want string }{
		"changed by hand": {"[ autofs ]\nmount_wait = 30\nbrowse_mode = no\n", "[ autofs ]\nmount_wait = 30\nbrowse_mode = yes\n"},
		"lines around":    {"# x\n[ autofs ]\nmount_wait = 5\ntimeout = 1\nbrowse_mode = no\n", "# x\n[ autofs ]\ntimeout = 1\nbrowse_mode = yes\n"},
		"in another part": {"[ amd ]\nmount_wait = 5\n", "[ amd ]\nmount_wait = 5\n"},
		"gone":            {"", ""},
		"undone already":  {original, original},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := waitEdit.Undo([]byte(c.now), []byte(original))
			if err != nil || string(got) != c.want {
				t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
		})
	}
}

func TestSettingsRefusesWhatWouldBreakIt(t *testing.T) {
	for _, e := range []Settings{
		{}, {Section: "a b"}, {Section: "a", Values: []Setting{{"", "x"}}}, {Section: "a", Values: []Setting{{"k", ""}}},
		{Section: "a", Values: []Setting{{"k", "a\nb"}}}, {Section: "a", Values: []Setting{{"k", "a # b"}}}, {Section: "a", Values: []Setting{{"k", " a"}}},
		{Section: "a", Values: []Setting{{"k", "a"}, {"k", "b"}}}, {Section: "a", Values: []Setting{{"[k]", "a"}}},
	} {
		if got, err := e.Apply([]byte("x\n")); err == nil {
			t.Errorf("%+v gave %q", e, got)
		}
	}
}

func TestSettingsIsPlainData(t *testing.T) {
	data, err := json.Marshal(waitEdit)
	if err != nil {
		t.Fatal(err)
	}
	back, err := editorOf("settings", data)
	if d := cmp.Diff(Editor(waitEdit), back); err != nil || d != "" {
		t.Errorf("through JSON, error %v (-want +got):\n%s", err, d)
	}
}

// judgeSettings: each key has its value and no other, all else stands as it
// stood, and it is undone to the byte.
func judgeSettings(t fataler, old []byte) {
	got, err := waitEdit.Apply(old)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if again, err := waitEdit.Apply(got); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("applied again: error %v, %q then %q", err, got, again)
	}
	if back, err := waitEdit.Undo(got, old); err != nil || !bytes.Equal(back, old) {
		t.Fatalf("undone: error %v, want %q, got %q, from %q", err, old, back, got)
	}
	if len(old) == 0 {
		return
	}
	was, is := otherSettings(old), otherSettings(got)
	if !slices.Equal(was.rest, is.rest) {
		t.Fatalf("others were %q and are %q", was.rest, is.rest)
	}
	if len(is.ours) < 2 || slices.ContainsFunc(is.ours, func(s string) bool { return s != "mount_wait=5" && s != "browse_mode=no" }) {
		t.Fatalf("ours are %q in %q", is.ours, got)
	}
}

// otherSettings is a second reader: what stands in the section under our keys,
// and all other lines.
func otherSettings(data []byte) (read struct{ ours, rest []string }) {
	section := "autofs"
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		switch text := strings.TrimSpace(line); {
		case strings.HasPrefix(text, "["):
			section = strings.ToLower(strings.TrimSpace(strings.SplitN(text[1:], "]", 2)[0]))
			read.rest = append(read.rest, line)
		case section == "autofs" && strings.Contains(line, "=") && (key == "mount_wait" || key == "browse_mode"):
			read.ours = append(read.ours, key+"="+strings.TrimSpace(value))
		default:
			read.rest = append(read.rest, line)
		}
	}
	return read
}

func TestSettingsOnDrawnFiles(t *testing.T) {
	line := rapid.SampledFrom([]string{"[ autofs ]", "[autofs]", "[ amd ]", "[", "mount_wait = 5", "mount_wait = -1", "  mount_wait=7", "browse_mode = no",
		"BROWSE_MODE=yes", "#mount_wait = 1", "timeout = 300", "mount_wait", "=", "", " "})
	end := rapid.SampledFrom([]string{"\n", "\n", "\r\n"})
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for range rapid.IntRange(0, 7).Draw(t, "lines") {
			text += line.Draw(t, "line") + end.Draw(t, "end")
		}
		judgeSettings(t, []byte(text[:len(text)-min(len(text), rapid.IntRange(0, 2).Draw(t, "cut"))]))
	})
}

func FuzzSettings(f *testing.F) {
	f.Add(readTest(f, "autofs", "debian12.conf"), []byte("[ autofs ]\nmount_wait = 5\n"))
	f.Add([]byte("mount_wait=1\n[amd]\nmount_wait=2"), []byte(""))
	f.Fuzz(func(t *testing.T, old, now []byte) {
		judgeSettings(t, old)
		got, err := waitEdit.Undo(now, old)
		if err != nil {
			t.Fatalf("undo refused: %v", err)
		}
		if again, err := waitEdit.Undo(got, old); err != nil || len(again) > len(got)+len(old) {
			t.Fatalf("undone again: error %v, %q then %q", err, got, again)
		}
	})
}
