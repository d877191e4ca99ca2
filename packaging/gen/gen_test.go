package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const doc = "# Commands\n\n```\nreveille does.\n\nAnd more.\n\nCommands:\n  boot   x\n\nFlags of all:\n  --json                         print JSON\n  --root DIR                     read below DIR\n\nExit codes: 0.\n```\n"

func section(name, args, more string) string {
	return "\n## " + name + "\n\n```\nreveille " + name + " [flags]" + args + ": what it does\n" + more + "\nFlags:\n  --own TIME                     of its own\n  --json                         print JSON\n  --root DIR                     read below DIR\n```\n"
}

func TestParseCommands(t *testing.T) {
	text := doc
	for _, name := range strings.Fields("a b c d e f g h i") {
		text += section(name, "", "")
	}
	c, err := parseCommands(text + section("debug plan", " [ID…]", "\nIn words: two.\n"))
	if err != nil {
		t.Fatal(err)
	}
	last := c.commands[len(c.commands)-1]
	if c.about != "reveille does.\n\nAnd more." || c.exit != "Exit codes: 0." || len(c.flags) != 2 {
		t.Errorf("%+v", c)
	}
	if last.usage != "reveille debug plan [flags] [ID…]" || last.long != "In words: two." || len(last.flags) != 1 || last.flags[0] != (option{"own", "TIME", "of its own"}) {
		t.Errorf("%+v", last)
	}
	// A document of another form must not make empty pages.
	for _, bad := range []string{"", doc, strings.Replace(text, "Flags:\n", "", 1)} {
		if _, err := parseCommands(bad); err == nil {
			t.Errorf("no error for %.40q…", bad)
		}
	}
}

func TestTable(t *testing.T) {
	got := tableUnder("# A\n\n| x | y |\n|---|---|\n# B\n\n| key | what |\n|---|---|\n| `a` | one \\| two |\n| `b` | |\n\n| other | t |\n|---|---|\n| c | d |\n", "# B")
	if len(got) != 2 || got[0][1] != "one | two" || got[1][0] != "`b`" || got[1][1] != "" {
		t.Errorf("%q", got)
	}
	if tableUnder("# A\n", "# B") != nil {
		t.Error("a table without its heading")
	}
}

// What troff would take for its own does not reach it.
func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		".SH x":                   `\&.SH x`,
		"'tis":                    `\(aqtis`,
		`a\b`:                     `a\eb`,
		"--root":                  `\-\-root`,
		"see [it](https://x) `y`": "see it y",
	} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %q, not %q", in, got, want)
		}
	}
}

// A module whose licence nobody can read is not packed.
func TestLicences(t *testing.T) {
	with, without := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(with, "LICENSE"), []byte("MIT\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := licences("b v2 " + with + "\na v1 " + with + "\n")
	if err != nil || text != "a v1\nb v2\n\nMIT\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := licences("c v1 " + without + "\n"); err == nil || !strings.Contains(err.Error(), "the licence of c") {
		t.Errorf("%v", err)
	}
}

func TestSameTextSameBytes(t *testing.T) {
	w := what{version: "1.0.0", maintainer: "M <m@example.org>", date: time.Unix(0, 0).UTC()}
	if a, b := compress([]byte(changelog(w, "x"))), compress([]byte(changelog(w, "x"))); string(a) != string(b) || string(a[4:8]) != "\x00\x00\x00\x00" {
		t.Error("the compressed bytes depend on the time")
	}
}
