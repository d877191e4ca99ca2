package main

import (
	"fmt"
	"regexp"
	"strings"
)

// page is a manual page in the making, in the man macros.
type page struct{ strings.Builder }

func newPage(w what, name string, section int, does string) *page {
	p := &page{}
	p.macro(".TH", strings.ToUpper(name), fmt.Sprint(section), w.date.Format("2006-01-02"), "Reveille "+w.version)
	p.macro(".SH", "NAME")
	fmt.Fprintf(p, "%s \\- %s\n", roff(name), roff(does))
	return p
}

// macro writes a request whose arguments may hold blanks.
func (p *page) macro(name string, args ...string) {
	p.WriteString(name)
	for _, a := range args {
		p.WriteString(` "` + strings.ReplaceAll(roff(a), `"`, `\(dq`) + `"`)
	}
	p.WriteString("\n")
}

// say writes paragraphs. Lines that are indented stay as they are.
func (p *page) say(text string) {
	verbatim := false
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !verbatim:
			p.WriteString(".nf\n")
		case !indented && verbatim:
			p.WriteString(".fi\n")
		}
		verbatim = indented
		if line == "" {
			p.WriteString(".PP\n")
			continue
		}
		p.WriteString(roff(line) + "\n")
	}
	if verbatim {
		p.WriteString(".fi\n")
	}
}

// item is a term and what it means.
func (p *page) item(term, text string) {
	p.WriteString(".TP\n")
	p.macro(".B", term)
	p.WriteString(roff(text) + "\n")
}

func (p *page) options(all []option) {
	for _, o := range all {
		p.item(strings.TrimSpace("--"+o.name+" "+o.arg), o.text)
	}
}

var links = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)

// roff makes plain text, or Markdown's code and links, harmless to troff.
func roff(s string) string {
	s = links.ReplaceAllString(s, "$1")
	s = strings.NewReplacer("`", "", `\`, `\e`, "-", `\-`, "'", `\(aq`, "…", "...").Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
