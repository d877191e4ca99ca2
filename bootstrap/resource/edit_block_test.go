package resource

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	begin = "# BEGIN reveille naming\n"
	end   = "# END reveille naming\n"
	mine  = begin + "10.0.0.7 dev-mysql01.acme.private dev-mysql01\n" + end
)

func hostsBlock(before bool) Block {
	return Block{Name: "naming", Lines: []string{"10.0.0.7 dev-mysql01.acme.private dev-mysql01"}, Before: before}
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestBlock(t *testing.T) {
	const debian = "127.0.0.1\tlocalhost\n127.0.1.1\told\n\n# IPv6\n::1 localhost ip6-localhost\n"
	for name, c := range map[string]struct {
		old    string
		before bool
		want   string
		undone string // "": the old file again
	}{
		"appended":                 {old: debian, want: debian + mine},
		"at the top":               {old: debian, before: true, want: mine + debian},
		"no file":                  {want: mine},
		"no newline at the end":    {old: "127.0.0.1 localhost", want: "127.0.0.1 localhost\n" + mine},
		"at the top of that":       {old: "127.0.0.1 localhost", before: true, want: mine + "127.0.0.1 localhost"},
		"carriage returns":         {old: crlf(debian), want: crlf(debian + mine)},
		"both":                     {old: "a\r\nb", want: "a\r\nb\r\n" + crlf(mine)},
		"so already":               {old: "a\n" + mine + "b\n", before: true, want: "a\n" + mine + "b\n", undone: "a\nb\n"},
		"so already, untidy":       {old: "a\n  # BEGIN reveille naming \r\n10.0.0.7 dev-mysql01.acme.private dev-mysql01\n" + end, want: "a\n  # BEGIN reveille naming \r\n10.0.0.7 dev-mysql01.acme.private dev-mysql01\n" + end, undone: "a\n"},
		"replaced in place":        {old: "a\n" + begin + "10.0.0.6 x\n10.0.0.5 y\n" + end + "b", want: "a\n" + mine + "b", undone: "a\nb"},
		"was empty":                {old: begin + end, want: mine, undone: "\x00"},
		"ends the file":            {old: "a\n" + begin + "x\n" + strings.TrimSpace(end), want: "a\n" + strings.TrimSpace(mine), undone: "a\n"},
		"twice":                    {old: "a\n" + begin + end + "b\n" + mine + "c\n" + mine, want: "a\n" + mine + "b\nc\n", undone: "a\nb\nc\n"},
		"another's block":          {old: "# BEGIN reveille name\nx\n# END reveille name\n", want: "# BEGIN reveille name\nx\n# END reveille name\n" + mine},
		"a name that begins alike": {old: "# BEGIN reveille naming2\nx\n", want: "# BEGIN reveille naming2\nx\n" + mine},
	} {
		t.Run(name, func(t *testing.T) {
			b := hostsBlock(c.before)
			got, err := b.Apply([]byte(c.old))
			if err != nil || string(got) != c.want {
				t.Fatalf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
			want := c.old
			if c.undone != "" {
				want = strings.TrimPrefix(c.undone, "\x00")
			}
			back, err := b.Undo(got, []byte(c.old))
			if err != nil || string(back) != want {
				t.Errorf("undone: error %v (-want +got):\n%s", err, cmp.Diff(want, string(back)))
			}
		})
	}
}

// A block that lost an edge is never guessed at: the rest of the file could go with it.
func TestBlockWithoutAnEdge(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"no end":         {"a\n" + begin + "10.0.0.6 x\nb\n", `the block that begins at line 2, "# BEGIN reveille naming", does not end before the file does: put the line "# END reveille naming" after its last line`},
		"two beginnings": {begin + "x\n" + mine, `begins at line 1, "# BEGIN reveille naming", does not end before line 3, "# BEGIN reveille naming"`},
		"another within": {begin + "x\n# BEGIN reveille resolver\ny\n# END reveille resolver\n" + end, `does not end before line 3, "# BEGIN reveille resolver"`},
		"another's end":  {begin + "# END reveille resolver\n" + end, `does not end before line 2`},
		"no beginning":   {"a\n10.0.0.6 x\n" + end, `line 3 is "# END reveille naming" without its beginning`},
	} {
		t.Run(name, func(t *testing.T) {
			for how, f := range map[string]func() ([]byte, error){
				"apply": func() ([]byte, error) { return hostsBlock(false).Apply([]byte(c.old)) },
				"undo":  func() ([]byte, error) { return hostsBlock(false).Undo([]byte(c.old), nil) },
			} {
				if got, err := f(); err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: got %q, error %v; want one with %q", how, got, err, c.want)
				}
			}
		})
	}
}

// Undo on a file that others have changed since takes the block and no more.
func TestBlockUndoOnChangedFile(t *testing.T) {
	for name, c := range map[string]struct{ now, original, want string }{
		"lines around it":       {"x\n" + mine + "y\n", "x\n", "x\ny\n"},
		"more behind it":        {"x\n" + mine + "y", "x", "x\ny"},
		"more before it":        {"x\ny\n" + mine, "x", "x\ny"},
		"gone already":          {"x\n", "x", "x\n"},
		"changed by hand":       {"x\n" + begin + "something else\n" + end, "x\n", "x\n"},
		"there was no file":     {"by another\n" + mine, "", "by another\n"},
		"all else gone":         {mine, "x", ""},
		"the image had it, too": {"x\n" + mine, "x\n" + mine, "x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hostsBlock(false).Undo([]byte(c.now), []byte(c.original))
			if err != nil || string(got) != c.want {
				t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
		})
	}
}

func TestBlockRefusesWhatWouldBreakIt(t *testing.T) {
	for _, b := range []Block{
		{}, {Name: "two words"}, {Name: "a\nb"}, {Name: "bell\a"},
		{Name: "n", Lines: []string{"a\nb"}}, {Name: "n", Lines: []string{"a\r"}}, {Name: "n", Lines: []string{"ok", "\x00"}},
		{Name: "n", Lines: []string{" # END reveille other"}},
	} {
		if got, err := b.Apply([]byte("x\n")); err == nil {
			t.Errorf("%+v gave %q", b, got)
		}
	}
	_, err := Block{Lines: []string{"a\nb", "c\nd"}}.Apply(nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three things are wrong, told: %v", err)
	}
}

func TestBlockIsPlainData(t *testing.T) {
	b := hostsBlock(true)
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var back Block
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b, back); d != "" {
		t.Errorf("through JSON (-want +got):\n%s", d)
	}
	if d := cmp.Diff("at the top, unless it is there already:\n"+mine, b.Describe()); d != "" {
		t.Errorf("described (-want +got):\n%s", d)
	}
	if b.Kind() != "block" {
		t.Error("the kind was renamed: machines keep it for years")
	}
}

func FuzzBlock(f *testing.F) {
	f.Add([]byte("127.0.0.1 localhost\n127.0.1.1 old\n"), "10.0.0.7 a", false)
	f.Add([]byte("a\n"+mine+"b"), "10.0.0.7 a", true)
	f.Add([]byte(begin+"x\n"), "", false)
	f.Add([]byte("a\r\nb"), "10.0.0.7 a\n10.0.0.8 b", false)
	f.Fuzz(func(t *testing.T, old []byte, lines string, before bool) {
		b := Block{Name: "naming", Before: before}
		if lines != "" {
			b.Lines = strings.Split(lines, "\n")
		}
		got, err := b.Apply(old)
		hasEdge := bytes.Contains(old, []byte("# BEGIN reveille naming")) || bytes.Contains(old, []byte("# END reveille naming"))
		if err != nil {
			if !hasEdge && b.validate() == nil {
				t.Fatalf("refused without need: %v", err)
			}
			return
		}
		again, err := b.Apply(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("applied again: error %v, %q then %q", err, got, again)
		}
		want := strings.Join(append(append([]string{"# BEGIN reveille naming"}, b.Lines...), "# END reveille naming"), "\n")
		tidy := strings.ReplaceAll(string(got), "\r\n", "\n")
		if !hasEdge && strings.Count(tidy, want) != 1 {
			t.Fatalf("the block is not there once in %q", got)
		}
		back, err := b.Undo(got, old)
		if err != nil {
			t.Fatalf("undone: %v", err)
		}
		if !hasEdge && !bytes.Equal(back, old) {
			t.Fatalf("undone, want %q, got %q, from %q", old, back, got)
		}
		if gone, err := b.Undo(back, old); err != nil || !bytes.Equal(gone, back) {
			t.Fatalf("undone again: error %v, %q then %q", err, back, gone)
		}
	})
}
