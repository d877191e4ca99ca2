package resource

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/diff"
)

// What stands for what nobody may see. The two differ, so that a secret that
// changes shows as a change.
const (
	mask   = "********"
	hidden = "(hidden)" // in the old file
)

// say tells of the whole difference in one line, without any content.
func (c comparison) say() string {
	did := "write " + c.path
	if c.edit.Kind != "" {
		did = "edit " + c.path
	}
	var what []string
	switch {
	case !c.now.info.Exists:
		what = append(what, "new, "+count(bytes.Count(c.want.data, []byte("\n")), "line"))
	case c.now.info.Link != "":
		what = append(what, "in place of the link to "+c.now.info.Link)
	case !c.sameContent():
		what = append(what, count(changedLines(c.now.data, c.want.data), "line")+" changed")
	}
	if i := c.now.info; i.Exists && i.Link == "" && i.Mode.Perm() != c.want.mode {
		what = append(what, fmt.Sprintf("mode %04o, was %04o", c.want.mode, i.Mode.Perm()))
	}
	if i := c.now.info; c.owners && i.Exists && i.Link == "" && (i.UID != c.want.uid || i.GID != c.want.gid) {
		what = append(what, fmt.Sprintf("owner %d:%d, was %d:%d", c.want.uid, c.want.gid, i.UID, i.GID))
	}
	if c.restoreFirst {
		what = append(what, "after the image's own is put back")
	}
	return did + " (" + strings.Join(what, "; ") + ")"
}

// diff is for a person at a terminal.
func (c comparison) diff() string {
	old := c.now.data
	// What not everybody may read is not shown to everybody who may see a diff.
	private := c.now.info.Exists && c.now.info.Link == "" && c.now.info.Mode&0o004 == 0
	if c.hide || (private && c.edit.Kind != "") {
		return c.path + ": not shown, as not everybody may read it\n"
	}
	if private || c.want.secret {
		old = maskOld(old, c.want)
	}
	text := unified(c.path, old, c.want.shown)
	if text == "" && !bytes.Equal(c.now.data, c.want.data) {
		return c.path + ": only what is masked differs\n"
	}
	return text
}

func unified(path string, old, want []byte) string {
	text := string(diff.Diff(path+" (now)", old, path+" (wanted)", want))
	_, text, _ = strings.Cut(text, "\n") // "diff OLD NEW" says nothing that the next lines do not
	return printable(text)
}

// printable keeps a file's control characters off the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\n' && r != '\t') || (r >= 0x7f && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}

var keyOf = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*([A-Za-z_][\w.-]*)[\s=:]`)
})

// maskOld hides what an old file holds: a line shows only where the new file
// has the same, and a key only where the new file has the key. An old secret
// is not known to us, so that everything unknown counts as one.
func maskOld(old []byte, want wanted) []byte {
	same, keys := map[string]string{}, map[string]bool{}
	shown := strings.SplitAfter(string(want.shown), "\n")
	for i, l := range strings.SplitAfter(string(want.data), "\n") {
		if i < len(shown) { // a secret is within its line
			same[l] = shown[i]
		}
		if m := keyOf().FindStringSubmatch(l); m != nil {
			keys[m[1]] = true
		}
	}
	var out strings.Builder
	for l := range strings.Lines(string(old)) {
		m := keyOf().FindStringSubmatch(l)
		show, known := same[l]
		switch {
		case known || strings.TrimSpace(l) == "":
			out.WriteString(cmp.Or(show, l))
		case m != nil && keys[m[1]]:
			out.WriteString(m[0] + hidden + "\n")
		default:
			out.WriteString(hidden + "\n")
		}
	}
	return []byte(out.String())
}

// changedLines is the larger of the lines that go and the lines that come.
func changedLines(old, want []byte) int {
	var gone, come int
	for i, l := range strings.Split(string(diff.Diff("a", old, "b", want)), "\n") {
		switch {
		case i < 3: // the header
		case strings.HasPrefix(l, "-"):
			gone++
		case strings.HasPrefix(l, "+"):
			come++
		}
	}
	return max(gone, come)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
