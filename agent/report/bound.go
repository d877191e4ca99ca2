package report

import (
	"fmt"
	"strings"

	"reveille/coordinator/api"
)

// The most that a report carries of each kind, so that all of it stays below
// what a coordinator takes (api.MaxReport), however wrong a document is.
const (
	mostText  = 2 << 10  // bytes of one error, note or change
	mostTexts = 48 << 10 // bytes of all errors, and of all notes
	mostSteps = 96 << 10 // bytes of what all steps say
)

// Bound cuts what is too long to be told, and says how much is left out.
func Bound(r *api.Report) {
	r.Errors = bound(r.Errors, "error")
	r.Notes = bound(r.Notes, "note")
	if g := r.BreakGlass; g != nil {
		for i, f := range g.Findings { // each code comes once or twice
			g.Findings[i].Title, g.Findings[i].Remedy = cut(f.Title, mostText), cut(f.Remedy, mostText)
		}
	}
	room := mostSteps
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Error, s.Why = cut(s.Error, min(mostText, room)), cut(s.Why, min(mostText, room))
		room = max(0, room-len(s.Error)-len(s.Why))
		for j, c := range s.Changes {
			s.Changes[j] = cut(c, min(mostText, room))
			room = max(0, room-len(s.Changes[j]))
		}
	}
}

func bound(texts []string, what string) []string {
	room := mostTexts
	for i, t := range texts {
		texts[i] = cut(t, mostText)
		// JSON writes a byte as up to six.
		if room -= 2 * len(texts[i]); room < 0 {
			return append(texts[:i:i], fmt.Sprintf("and %d more %ss; `reveille debug plan` prints them all", len(texts)-i, what))
		}
	}
	return texts
}

// cut keeps the head of a text.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
