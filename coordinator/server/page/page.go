// Package page draws what a coordinator knows as HTML: the fleet, and one
// instance's boot. It is handed records and writes a page; it knows neither a
// store's workings nor HTTP. Pages have no script, no inline style and no
// outside asset, and everything that a report says is escaped and bounded.
package page

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"strings"
	"sync"
	"unicode"

	"reveille/coordinator/api"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// Templates are parsed at first use, so that `reveille-coordinator version`
// does not pay for them.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/*.html"))
})

// Asset is a file that pages load.
type Asset struct {
	Data []byte
	Type string // media type
	ETag string // of the content, in quotes
}

// Assets are the files that pages load, by name below /assets/. Not to be
// changed.
func Assets() map[string]Asset { return assets() }

var assets = sync.OnceValue(func() map[string]Asset {
	types := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	entries, _ := assetFiles.ReadDir("assets") // embedded: it is there
	out := map[string]Asset{}
	for _, e := range entries {
		data, _ := assetFiles.ReadFile("assets/" + e.Name())
		out[e.Name()] = Asset{Data: data, Type: types[path.Ext(e.Name())],
			ETag: fmt.Sprintf(`"%x"`, sha256.Sum256(data))[:18] + `"`}
	}
	return out
})

// Message is a page that says one thing, such as an error.
type Message struct{ Title, Text string }

// Render writes the page.
func (m Message) Render(w io.Writer) error {
	return execute(w, "message.html", Message{Title: m.Title, Text: show(m.Text, 400)})
}

func execute(w io.Writer, name string, data any) error {
	if err := templates().ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return nil
}

// show makes foreign text visible: at most max characters, and unprintable
// ones spelled out, so that none can hide or turn round what stands beside it.
func show(s string, max int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > max {
			b.WriteRune('…')
			break
		}
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteString("    ")
		default:
			fmt.Fprintf(&b, "⟨%U⟩", r)
		}
	}
	return b.String()
}

// counts is how many instances are in each state, the worst first.
type counts [5]int

func (c *counts) add(s api.State) { c[rank(s)]++ }

func (c counts) total() int {
	n := 0
	for _, of := range c {
		n += of
	}
	return n
}

// rank orders states, the worst first. What is not known is as bad as can be.
func rank(s api.State) int {
	for i, known := range api.States() {
		if s == known {
			return i
		}
	}
	return 0
}
