package resource

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var pruneEdit = Words{Lists: []WordList{
	{Name: "PRUNEFS", Words: []string{"nfs", "nfs4", "fuse.s3fs"}, Fold: true},
	{Name: "PRUNEPATHS", Words: []string{"/nfs/home"}},
}}

// Whole files as distributions bring them.
func TestWordsOnWholeFiles(t *testing.T) {
	for _, file := range []string{"plocate-debian12.conf", "mlocate-rhel8.conf"} {
		t.Run(file, func(t *testing.T) {
			old := readTest(t, "updatedb", file)
			got, err := pruneEdit.Apply(old)
			if err != nil {
				t.Fatal(err)
			}
			want := string(old)
			for _, list := range []struct{ name, more string }{{"PRUNEFS", " fuse.s3fs"}, {"PRUNEPATHS", " /nfs/home"}} {
				head, line, _ := strings.Cut(want, "\n"+list.name)
				line, tail, _ := strings.Cut(line, "\"\n")
				want = head + "\n" + list.name + line + list.more + "\"\n" + tail
			}
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("edited (-want +got):\n%s", d)
			}
			back, err := pruneEdit.Undo(got, old)
			if err != nil || string(back) != string(old) {
				t.Errorf("undone (error %v; -want +got):\n%s", err, cmp.Diff(string(old), string(back)))
			}
		})
	}
}

func TestWords(t *testing.T) {
	const fs, paths = `PRUNEFS="nfs nfs4 fuse.s3fs"`, `PRUNEPATHS="/nfs/home"`
	for name, c := range map[string]struct{ old, want string }{
		"no file":               {"", ""},
		"neither list":          {"# x\n", "# x\n" + fs + "\n" + paths + "\n"},
		"no newline at the end": {"PRUNENAMES=\".git\"", "PRUNENAMES=\".git\"\n" + fs + "\n" + paths + "\n"},
		"case":                  {"PRUNEFS=\"NFS Nfs4\"\n" + paths + "\n", "PRUNEFS=\"NFS Nfs4 fuse.s3fs\"\n" + paths + "\n"},
		"a path has its case":   {fs + "\nPRUNEPATHS=\"/NFS/home\"\n", fs + "\nPRUNEPATHS=\"/NFS/home /nfs/home\"\n"},
		"part of a word":        {fs + "\nPRUNEPATHS=\"/nfs/home2 /a/nfs/home\"\n", fs + "\nPRUNEPATHS=\"/nfs/home2 /a/nfs/home /nfs/home\"\n"},
		"empty":                 {"PRUNEFS=\"\"\n" + paths + "\n", fs + "\n" + paths + "\n"},
		"untidy":                {"\tPRUNEFS  = \" ext2\t \" # why\n" + paths + "\r\n", "\tPRUNEFS  = \" ext2 nfs nfs4 fuse.s3fs\" # why\n" + paths + "\r\n"},
		"so already":            {"PRUNEFS = \"fuse.s3fs nfs4 nfs\"\n" + paths, "PRUNEFS = \"fuse.s3fs nfs4 nfs\"\n" + paths},
		"a comment":             {"# PRUNEFS=\"x\"\n" + fs + "\n" + paths + "\n", "# PRUNEFS=\"x\"\n" + fs + "\n" + paths + "\n"},
		"a longer name":         {"PRUNEFS_X=\"x\"\n" + fs + "\n" + paths + "\n", "PRUNEFS_X=\"x\"\n" + fs + "\n" + paths + "\n"},
		"carriage returns":      {"PRUNEFS=\"a\"\r\n", "PRUNEFS=\"a nfs nfs4 fuse.s3fs\"\r\n" + paths + "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pruneEdit.Apply([]byte(c.old))
			if err != nil || string(got) != c.want {
				t.Fatalf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
			back, err := pruneEdit.Undo(got, []byte(c.old))
			if err != nil || string(back) != c.old {
				t.Errorf("undone: error %v (-want +got):\n%s", err, cmp.Diff(c.old, string(back)))
			}
		})
	}
}

// Undo keeps what others have done since, and what the image had.
func TestWordsUndoOnChangedFile(t *testing.T) {
	const original = "PRUNEFS=\"ext2 nfs\"\n"
	for name, c := range map[string]struct{ now, want string }{
		"a word was added":     {"PRUNEFS=\"ext2 nfs nfs4 fuse.s3fs xfs\"\nPRUNEPATHS=\"/nfs/home\"\n", "PRUNEFS=\"ext2 nfs xfs\"\n"},
		"in another order":     {"PRUNEFS=\"nfs4  nfs fuse.s3fs ext2\"\n", "PRUNEFS=\"nfs ext2\"\n"},
		"the image's own left": {"PRUNEFS=\"nfs4 fuse.s3fs\"\n", "PRUNEFS=\"\"\n"},
		"more in our list":     {"PRUNEFS=\"ext2 nfs\"\nPRUNEPATHS=\"/nfs/home /backup\"\n", "PRUNEFS=\"ext2 nfs\"\nPRUNEPATHS=\"/backup\"\n"},
		"all gone":             {"# by hand\n", "# by hand\n"},
		"undone already":       {original, original},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pruneEdit.Undo([]byte(c.now), []byte(original))
			if err != nil || string(got) != c.want {
				t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
		})
	}
}

func TestWordsRefuses(t *testing.T) {
	for old, want := range map[string]string{
		"PRUNEFS":                       `want PRUNEFS = "WORD WORD"`,
		"PRUNEFS=nfs":                   `want PRUNEFS = "WORD WORD"`,
		"PRUNEFS=\"nfs":                 `the quote is not closed`,
		"PRUNEFS=\"nfs\" afs":           `something follows the closing quote`,
		"PRUNEFS=\"\"\nPRUNEFS=\"nfs\"": `PRUNEFS is set in line 2 already`,
	} {
		got, err := pruneEdit.Apply([]byte("# x\n" + old + "\n"))
		if err == nil || got != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q gave %q, error %v, want one with %q", old, got, err, want)
		}
	}
	for _, e := range []Words{
		{Lists: []WordList{{Name: ""}}}, {Lists: []WordList{{Name: "a b"}}}, {Lists: []WordList{{Name: "A"}, {Name: "A"}}},
		{Lists: []WordList{{Name: "A", Words: []string{"a b"}}}}, {Lists: []WordList{{Name: "A", Words: []string{`"`}}}}, {Lists: []WordList{{Name: "A", Words: []string{""}}}},
	} {
		if got, err := e.Apply([]byte("x\n")); err == nil {
			t.Errorf("%+v gave %q", e, got)
		}
	}
}

func TestWordsIsPlainData(t *testing.T) {
	data, err := json.Marshal(pruneEdit)
	if err != nil {
		t.Fatal(err)
	}
	back, err := editorOf("words", data)
	if d := cmp.Diff(Editor(pruneEdit), back); err != nil || d != "" {
		t.Errorf("through JSON, error %v (-want +got):\n%s", err, d)
	}
}

// updatedbReads is a second reader, after the manual of updatedb.conf: the
// words of each variable, or not ok where updatedb would not run on the file.
func updatedbReads(data []byte) (vars map[string][]string, ok bool) {
	vars = map[string][]string{}
	for _, line := range strings.Split(string(data), "\n") {
		line = strings.TrimLeft(line, nssSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		end := 0
		for end < len(line) && isListName(line[end]) {
			end++
		}
		name := line[:end]
		parts := strings.SplitN(line[end:], `"`, 3)
		if _, twice := vars[name]; twice || len(parts) != 3 || strings.Trim(parts[0], nssSpace) != "=" || name == "" {
			return vars, false
		}
		if rest := strings.TrimLeft(parts[2], nssSpace); rest != "" && rest[0] != '#' {
			return vars, false
		}
		vars[name] = strings.FieldsFunc(parts[1], isListSpace)
	}
	return vars, true
}

// judgeWords: what is read by the manual's rules is edited, read again with our
// words behind all that was there, made only once, and undone to the byte.
func judgeWords(t fataler, old []byte) {
	was, ok := updatedbReads(old)
	got, err := pruneEdit.Apply(old)
	if err != nil {
		if ok {
			t.Fatalf("refused without need: %v, %q", err, old)
		}
		return
	}
	if again, err := pruneEdit.Apply(got); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("applied again: error %v, %q then %q", err, got, again)
	}
	if back, err := pruneEdit.Undo(got, old); err != nil || !bytes.Equal(back, old) {
		t.Fatalf("undone: error %v, want %q, got %q, from %q", err, old, back, got)
	}
	if !ok || len(old) == 0 {
		return
	}
	is, ok := updatedbReads(got)
	if !ok {
		t.Fatalf("updatedb would not run on %q, made of %q", got, old)
	}
	for _, l := range pruneEdit.Lists {
		if words := is[l.Name]; len(words) < len(was[l.Name]) || !cmp.Equal(words[:len(was[l.Name])], was[l.Name]) && len(was[l.Name]) > 0 {
			t.Fatalf("%s was %q and is %q", l.Name, was[l.Name], words)
		}
		if more := l.missing(is[l.Name]); len(more) > 0 {
			t.Fatalf("%s lacks %q: %q", l.Name, more, got)
		}
		delete(was, l.Name)
		delete(is, l.Name)
	}
	if d := cmp.Diff(was, is); d != "" {
		t.Fatalf("others changed (-was +is):\n%s", d)
	}
}

// Files that look like updatedb.conf, which random bytes seldom do.
func TestWordsOnDrawnFiles(t *testing.T) {
	head := rapid.SampledFrom([]string{"PRUNEFS", "PRUNEFS", "PRUNEPATHS", "PRUNENAMES", "PRUNE_BIND_MOUNTS", "# PRUNEFS", "", "PRUNEFSX"})
	piece := rapid.SampledFrom([]string{"=", "=", " = ", `"`, `"`, "nfs", "NFS4", " ", "  ", "\t", "/nfs/home", "fuse.s3fs", "#", "\r", "\v", "\x00", "\u00a0"})
	end := rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n", "\n\n"})
	line := rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "well") {
			words := rapid.SliceOfN(rapid.SampledFrom([]string{"nfs", "NFS", "nfs4", "ext2", "/nfs/home", "/tmp", " ", "fuse.s3fs"}), 0, 5).Draw(t, "words")
			return head.Draw(t, "head") + `="` + strings.Join(words, " ") + `"` + end.Draw(t, "end")
		}
		return head.Draw(t, "head") + strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "") + end.Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 5).Draw(t, "lines"), "")
		judgeWords(t, []byte(text[:len(text)-min(len(text), rapid.IntRange(0, 2).Draw(t, "cut"))]))
	})
}

func FuzzWords(f *testing.F) {
	f.Add(readTest(f, "updatedb", "plocate-debian12.conf"), []byte("PRUNEFS=\"nfs x\"\n"))
	f.Add(readTest(f, "updatedb", "mlocate-rhel8.conf"), []byte("PRUNEPATHS = \"/nfs/home\" # x"))
	f.Fuzz(func(t *testing.T, old, now []byte) {
		judgeWords(t, old)
		got, err := pruneEdit.Undo(now, old) // a file that somebody changed, down to another one
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("the error names no line: %v", err)
			}
			return
		}
		if _, err := pruneEdit.Apply(got); err != nil {
			t.Fatalf("undone to what cannot be edited: %v, %q from %q", err, got, now)
		}
	})
}
