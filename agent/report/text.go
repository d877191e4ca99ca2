package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"reveille/coordinator/api"
)

// marks stand before a step, by its state: readable without colour.
var marks = map[string]string{
	"ok": "=", "changed": "+", "drifted": "~", "failed": "x", "blocked": "-", "unknown": "?",
}

// Write prints a report for a person: what is wrong first, then every step.
func Write(w io.Writer, r api.Report, untold []string) {
	fmt.Fprintf(w, "%s  %s\n", strings.ToUpper(string(r.State)), headline(r))
	for _, e := range r.Errors {
		fmt.Fprintf(w, "  error: %s\n", Clean(e))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", Clean(n))
	}
	for _, why := range untold {
		fmt.Fprintf(w, "  not told: %s\n", Clean(why))
	}
	for _, s := range r.Steps {
		WriteStep(w, s)
	}
}

func headline(r api.Report) string {
	role := "role " + r.Role
	if r.Role == "" {
		role = "no role"
	}
	s := fmt.Sprintf("%s (%s), %s", Clean(r.Hostname), Clean(cmp.Or(r.InstanceID, "-")), Clean(role))
	if r.State == api.Booting {
		return s + ", since " + r.Started
	}
	s += fmt.Sprintf(", %s pass of %.0f ms", r.Pass, r.TookMS)
	if r.Facts.Source == "cache" {
		s += fmt.Sprintf(", facts kept %s ago", time.Duration(r.Facts.AgeS*float64(time.Second)).Round(time.Second))
	}
	return s
}

// WriteStep prints one step; why it is not so stands below it.
func WriteStep(w io.Writer, s api.Step) {
	fmt.Fprintf(w, "%s %-8s %-44s %7.1f ms\n", marks[s.State], s.State, Clean(s.ID), s.TookMS)
	for _, c := range s.Changes {
		fmt.Fprintf(w, "           %s\n", Clean(c))
	}
	if s.Error != "" {
		fmt.Fprintf(w, "           %s\n", Clean(s.Error))
	}
}

// Clean makes text from elsewhere harmless on a terminal: no control
// character of a tag or a file name reaches it.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}
