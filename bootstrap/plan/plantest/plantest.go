// Package plantest writes plans down as text, for golden files. It must not know
// what a resource is about.
package plantest

import (
	"fmt"
	"strings"

	"reveille/bootstrap/plan"
)

// Describe is the plan as text. It is the same for the same plan, whatever the
// machine, and ends with a newline unless the plan is empty.
//
// One field a line, so that a review shows which field changed; a bar before
// the resource's own text, so that blank lines and white space can be seen.
func Describe(p plan.Plan) string {
	var b strings.Builder
	for i, id := range p.IDs() {
		if i > 0 {
			b.WriteByte('\n')
		}
		describe(&b, p[i], id)
	}
	return b.String()
}

func describe(b *strings.Builder, s plan.Step, id string) {
	if id == "" {
		id = "(no resource)"
	}
	fmt.Fprintf(b, "%s\n", id)
	field := func(name string, values ...string) {
		for i, v := range values {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(b, "  %-9s %s\n", name, v)
		}
	}
	if s.Concern != "" {
		field("concern", s.Concern)
	}
	if s.Required {
		field("required", "yes")
	} else {
		field("required", "no")
	}
	field("needs", s.Needs...)
	field("after", s.After...)
	if s.Lasting {
		field("lasting", "yes")
	}
	if s.Why != "" {
		field("why", strings.Split(s.Why, "\n")...)
	}
	if s.Within != 0 && s.Within != plan.DefaultWithin {
		field("within", s.Within.String())
	}
	d, ok := s.Resource.(plan.Describer)
	if !ok {
		return
	}
	for line := range strings.Lines(d.Describe()) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			line = " " + line
		}
		b.WriteString("  |" + line + "\n")
	}
}
