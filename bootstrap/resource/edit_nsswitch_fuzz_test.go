package resource

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func seedNSS(f *testing.F, add func(conf []byte)) {
	names, err := filepath.Glob(filepath.Join("testdata", "nsswitch", "*"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no example files: %v", err)
	}
	for _, name := range names {
		add(readTest(f, "nsswitch", filepath.Base(name)))
	}
}

func FuzzNSSwitch(f *testing.F) {
	seedNSS(f, func(conf []byte) { f.Add(conf, true) })
	f.Fuzz(func(t *testing.T, old []byte, initgroups bool) {
		judgeNSS(t, initgroups, old)
	})
}

// Files that look like nsswitch.conf, which random bytes seldom do.
func TestNSSwitchOnDrawnFiles(t *testing.T) {
	word := rapid.SampledFrom([]string{"files", "files", "ldap", "systemd", "compat", "nis", "x", "[NOTFOUND=return]",
		"[SUCCESS=merge]", "[!UNAVAIL=continue success=CONTINUE]", "[", "=x]", "#", "\x00", "\r", "\u00a0", ":"})
	space := rapid.SampledFrom([]string{" ", " ", "  ", "\t", "", "\v "})
	head := rapid.SampledFrom([]string{"passwd:", "passwd:", "passwd ", "shadow:", "group:", "group :", "\tgroup::", "initgroups:", "hosts:", "passwd", "Group:", "#passwd:", ":", ""})
	end := rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n", "\r\r\n"})
	line := rapid.Custom(func(t *rapid.T) string {
		text := head.Draw(t, "head")
		for range rapid.IntRange(0, 5).Draw(t, "words") {
			text += space.Draw(t, "space") + word.Draw(t, "word")
		}
		return text + space.Draw(t, "space") + end.Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 6).Draw(t, "lines"), "")
		text = text[:len(text)-min(len(text), rapid.IntRange(0, 2).Draw(t, "cut"))]
		judgeNSS(t, rapid.Bool().Draw(t, "initgroups"), []byte(text))
	})
}

// fataler is what tests of both kinds can do.
type fataler interface{ Fatalf(string, ...any) }

func judgeNSS(t fataler, initgroups bool, old []byte) {
	edit := nssEdit
	edit.Initgroups = initgroups
	got, err := edit.Apply(old)
	if err != nil {
		refusedWithReason(t, edit, old, err)
		return
	}
	again, err := edit.Apply(got)
	if err != nil || !bytes.Equal(again, got) {
		t.Fatalf("applied again: error %v, %q then %q", err, got, again)
	}
	back, err := edit.Undo(got, old)
	if err != nil || !bytes.Equal(back, old) {
		t.Fatalf("undone: error %v\nwant %q\ngot  %q\nfrom %q", err, old, back, got)
	}
	for _, lastWins := range []bool{false, true} {
		readsAsAsked(t, edit, old, got, lastWins)
	}
	keepsLines(t, edit, old, got)
}

// refusedWithReason: only what glibc itself could not read, or what keeps the
// directory from being asked, is refused.
func refusedWithReason(t fataler, e NSSwitch, old []byte, err error) {
	if !strings.HasPrefix(err.Error(), "line ") {
		t.Fatalf("the error names no line: %v", err)
	}
	for _, line := range strings.SplitAfter(string(old), "\n") {
		if slices.Contains(e.all(), strings.TrimSpace(line)) {
			return
		}
		name, sources, ok, _ := glibcLine(line)
		if !slices.Contains(e.Databases, name) {
			continue
		}
		if !ok || slices.ContainsFunc(sources, func(s glibcSource) bool { return s.actions[1] == "RETURN" || s.name[0] == ':' }) {
			return
		}
	}
	t.Fatalf("refused %q without need: %v", old, err)
}

func readsAsAsked(t fataler, e NSSwitch, old, got []byte, lastWins bool) {
	was, _ := glibcReads(old, lastWins)
	is, broken := glibcReads(got, lastWins)
	for _, db := range e.Databases {
		if broken[db] || !asksLocalFirst(is[db], e.Source) {
			t.Fatalf("%s (last wins: %v): glibc reads %v, broken %v, in %q", db, lastWins, is[db], broken[db], got)
		}
		if !slices.Equal(others(was[db], e.Source), others(is[db], e.Source)) {
			t.Fatalf("%s: other sources were %v and are %v", db, was[db], is[db])
		}
	}
	for db, sources := range was {
		if !slices.Contains(e.all(), db) && !reflect.DeepEqual(sources, is[db]) {
			t.Fatalf("%s is not ours: it was %v and is %v", db, sources, is[db])
		}
	}
	if init := is[nssInitgroups]; e.Initgroups && (len(init) != 2 || init[0].name != "files" || init[1].name != e.Source ||
		init[0].actions != [4]string{"RETURN", "CONTINUE", "CONTINUE", "CONTINUE"}) {
		t.Fatalf("initgroups is %v", init)
	}
}

// keepsLines: what stood there stands there still, in order, and only lines of
// our databases that were not so have other bytes.
func keepsLines(t fataler, e NSSwitch, old, got []byte) {
	was, is := strings.SplitAfter(string(old), "\n"), strings.SplitAfter(string(got), "\n")
	for _, line := range was {
		name, sources, _, _ := glibcLine(line)
		mayChange := slices.Contains(e.Databases, name) && !asksLocalFirst(sources, e.Source) ||
			slices.Contains(e.Databases, name) && slices.ContainsFunc(sources, func(s glibcSource) bool { return s.name == e.Source }) && sources[0].name == e.Source ||
			e.Initgroups && name == nssInitgroups
		at := slices.IndexFunc(is, func(l string) bool {
			now, _, _, _ := glibcLine(l)
			return strings.TrimRight(l, "\r\n") == strings.TrimRight(line, "\r\n") || mayChange && now == name
		})
		if at < 0 {
			t.Fatalf("line %q is gone from %q", line, got)
		}
		is = is[at+1:]
	}
}

// Undo on a file that somebody changed, down to another file altogether.
func FuzzNSSwitchUndo(f *testing.F) {
	var all [][]byte
	seedNSS(f, func(conf []byte) { all = append(all, conf) })
	for i, now := range all {
		f.Add(now, all[(i+1)%len(all)])
	}
	f.Fuzz(func(t *testing.T, now, original []byte) {
		got, err := nssEdit.Undo(now, original)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("the error names no line: %v", err)
			}
			return
		}
		own, _ := glibcReads(original, true)
		named := map[string]bool{}
		for _, line := range strings.SplitAfter(string(original), "\n") {
			name, sources, _, _ := glibcLine(line)
			named[name] = named[name] || slices.ContainsFunc(sources, func(s glibcSource) bool { return s.name == nssEdit.Source })
		}
		before, _ := glibcReads(now, true)
		after, broken := glibcReads(got, true)
		for _, db := range nssEdit.all() {
			if !named[db] && !broken[db] && slices.ContainsFunc(after[db], func(s glibcSource) bool { return s.name == nssEdit.Source }) {
				t.Fatalf("%s still asks the directory: %v in %q", db, after[db], got)
			}
			if _, there := after[db]; there && len(after[db]) == 0 && len(before[db]) > 0 && len(own[db]) > 0 {
				t.Fatalf("%s asks nobody any more in %q", db, got)
			}
		}
	})
}
