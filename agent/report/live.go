package report

import (
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/term"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/plan"
	"reveille/coordinator/api"
)

// Live prints the steps of a pass as they come: in place on a terminal, a line
// each elsewhere. It is used from one goroutine.
type Live struct {
	w      io.Writer
	width  int // columns of the terminal; 0 where it is none
	height int // its lines
	rows   []string
}

// NewLive prints to w.
func NewLive(w io.Writer) *Live {
	l := &Live{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err == nil && width > 20 {
			l.width, l.height = width, height
		}
	}
	return l
}

// Planned says which steps will come.
func (l *Live) Planned(p plan.Plan) {
	if len(p) >= l.height {
		l.width = 0 // more steps than lines cannot be drawn in place
	}
	if l.width == 0 {
		return
	}
	for _, s := range p {
		l.rows = append(l.rows, fmt.Sprintf("%s %-8s %s", "\u00b7", "waiting", Clean(s.ID())))
	}
	l.paint(false)
}

// Step prints one result.
func (l *Live) Step(i int, r converge.Result) {
	s := step(r, 0)
	if l.width == 0 {
		WriteStep(l.w, s)
		return
	}
	if i < len(l.rows) {
		l.rows[i] = row(s)
	}
	l.paint(true)
}

func row(s api.Step) string {
	text := fmt.Sprintf("%s %-8s %-44s %7.1f ms", marks[s.State], s.State, Clean(s.ID), s.TookMS)
	if s.Error != "" {
		return text + "  " + Clean(s.Error)
	}
	for _, c := range s.Changes {
		text += "  " + Clean(c)
	}
	return text
}

// paint draws all rows; again says that they are there already. A row is cut
// at the terminal's edge, so that going up by their number stays right.
func (l *Live) paint(again bool) {
	if again {
		fmt.Fprintf(l.w, "\x1b[%dA", len(l.rows))
	}
	for _, r := range l.rows {
		fmt.Fprintf(l.w, "\r\x1b[K%s\n", shorten(r, l.width-1))
	}
}

// WriteSummary prints the state and what is wrong, after the steps have been
// printed as they came.
func WriteSummary(w io.Writer, r api.Report) {
	r.Steps = nil
	Write(w, r, nil)
}

// WriteOutcome prints the state and what is wrong, with the steps that are not
// so: for whoever has not watched them, as reveille-wait.service in the journal.
func WriteOutcome(w io.Writer, r api.Report) {
	r.Steps = slices.DeleteFunc(slices.Clone(r.Steps), func(s api.Step) bool { return converge.State(s.State).So() })
	Write(w, r, nil)
}
