package roles

import (
	"context"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

// awaited stands in a plan for a file whose content hangs on a fact that could
// not be read. What is on the machine stays as it is, the step says what it
// waits for, and the next pass reads the facts again. H is the machine that it
// never looks at.
type awaited[H any] struct {
	id   string // of the file that will take its place
	what string
}

// await makes one. The check is plan.Resource.Check, for its type alone: this
// package must not import the machine, not even to name it.
func await[H any](_ func(plan.Resource, context.Context, H) ([]plan.Change, error), id, what string) awaited[H] {
	return awaited[H]{id, what}
}

func (a awaited[H]) ID() string { return a.id }

func (a awaited[H]) Check(context.Context, H) ([]plan.Change, error) {
	return nil, &plan.NotYet{For: a.what, Facts: true}
}

// atOnce is how long a walk looks at what waits for a fact: facts do not change
// while it goes on, and a boot must not be held up for what cannot come.
const atOnce = time.Millisecond

func (a awaited[H]) within() time.Duration { return atOnce }

// Describe says what is missing, for golden plans.
func (a awaited[H]) Describe() string { return "left as it is until this is known: " + a.what + "\n" }

// header is the comment at the head of a whole file of ours. It names no line
// and no moment, so that a file changes only when what it says does.
func header(section string, p Profile) string {
	from := "no role file"
	if p.RoleFile != "" {
		from = "role " + p.Role + ", " + p.RoleFile
	}
	// A path with a line break in it must not write lines of its own.
	from = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, from)
	return "# Written by reveille (" + from + "). Changes made here are\n" +
		"# overwritten. What was asked for, and by whom: reveille debug explain " + section + "\n"
}

// machineName is the short name, in lower case as directories hold it; "" where
// there is none. A name that is not allowed is the naming concern's error.
func machineName(f facts.Facts, p Profile) string {
	n, err := nameOf(f, p)
	if err != nil {
		return ""
	}
	short, _, _ := strings.Cut(n.short, ".")
	return strings.ToLower(short)
}
