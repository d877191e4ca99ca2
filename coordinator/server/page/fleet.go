package page

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

// Bounds of the fleet page: beyond them a person searches, and does not read.
const (
	rowsPerPage = 100
	maxCards    = 60
)

// Fleet is the page that shows all roles and one page of instances, what is
// wrong first.
type Fleet struct {
	Host     string // what the browser called this coordinator
	At       instant
	All      Tally
	Cards    []Card
	MoreRole int // roles that have no card any more
	Chips    []chip
	Fields   []field
	Search   string
	Found    int // instances that match the filter
	From, To int // which of them are shown, from 1
	Rows     []Row
	Prev     template.URL // the page before; "" on the first
	Next     template.URL // the page after; "" on the last

	now   time.Time
	shown []store.Head
}

// Card is one role at a glance.
type Card struct {
	Name    string
	Link    template.URL
	Current bool // the filter asks for this role
	Tally   Tally
}

// Row is one instance in the list.
type Row struct {
	ID, Name, Role, Zone, Address string
	State                         api.State
	Age                           instant
	Took                          string
	Pass                          string
	Error                         string
}

// NewFleet sorts and counts. host is the address that the page was asked for at.
func NewFleet(heads []store.Head, f Filter, now time.Time, host string) *Fleet {
	p := &Fleet{Host: show(host, 100), At: at(now, now), Chips: f.chips(), Fields: f.fields(), Search: f.Search, now: now}
	var all counts
	roles := map[string]*counts{}
	var found []store.Head
	for _, h := range heads {
		all.add(h.State)
		if roles[h.Role] == nil {
			roles[h.Role] = &counts{}
		}
		roles[h.Role].add(h.State)
		if f.matches(h) {
			found = append(found, h)
		}
	}
	p.All = newTally(all, func(s api.State) template.URL { return f.state(s).link() })
	p.Cards, p.MoreRole = cards(roles, f)
	p.paginate(found, f)
	return p
}

func (p *Fleet) paginate(found []store.Head, f Filter) {
	slices.SortFunc(found, func(a, b store.Head) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), compareRoles(a.Role, b.Role),
			strings.Compare(a.Host, b.Host), strings.Compare(a.ID, b.ID))
	})
	p.Found = len(found)
	last := max(0, (len(found)-1)/rowsPerPage)
	n := min(f.Page, last) // the fleet may have shrunk since the link was made
	p.shown = found[min(n*rowsPerPage, len(found)):min((n+1)*rowsPerPage, len(found))]
	p.From, p.To = n*rowsPerPage+1, n*rowsPerPage+len(p.shown)
	if n > 0 {
		p.Prev = f.page(n - 1).link()
	}
	if n < last {
		p.Next = f.page(n + 1).link()
	}
}

// cards are the roles, those with something wrong first.
func cards(roles map[string]*counts, f Filter) ([]Card, int) {
	names := make([]string, 0, len(roles))
	for name := range roles {
		names = append(names, name)
	}
	worst := func(c *counts) int { return slices.IndexFunc(c[:], func(n int) bool { return n > 0 }) }
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(worst(roles[a]), worst(roles[b])), compareRoles(a, b))
	})
	more := max(0, len(names)-maxCards)
	var out []Card
	for _, name := range names[:len(names)-more] {
		g := Filter{}.role(name)
		out = append(out, Card{Name: roleName(name), Link: g.link(), Current: f.Role != nil && *f.Role == name,
			Tally: newTally(*roles[name], func(s api.State) template.URL { return g.state(s).link() })})
	}
	return out, more
}

// compareRoles puts those without a role last.
func compareRoles(a, b string) int {
	if (a == "") != (b == "") {
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

// Shown are the instances whose records Add wants, in this order.
func (p *Fleet) Shown() []store.Head { return p.shown }

// Add adds the next row.
func (p *Fleet) Add(rec store.Record) error {
	var r api.Report
	if err := json.Unmarshal(rec.Report, &r); err != nil {
		return fmt.Errorf("report of %s: %w", rec.ID, err)
	}
	p.Rows = append(p.Rows, Row{
		ID: rec.ID, Name: show(r.Hostname, 80), Role: roleName(r.Role), State: r.State,
		Zone: fact(r.Facts.Zone), Address: fact(r.Facts.PrivateIP),
		Age: at(rec.Received, p.now), Took: millis(r.TookMS), Pass: show(r.Pass, 20), Error: show(firstError(r), 240),
	})
	return nil
}

// Render writes the page.
func (p *Fleet) Render(w io.Writer) error { return execute(w, "fleet.html", p) }

// firstError is what to read first: the report's own, else that of a step, a
// required one before the others.
func firstError(r api.Report) string {
	if len(r.Errors) > 0 {
		return r.Errors[0]
	}
	for _, required := range []bool{true, false} {
		for _, s := range r.Steps {
			if s.Error != "" && s.Required == required {
				return s.ID + ": " + s.Error
			}
		}
	}
	return ""
}

// fact is a fact in words: null is unknown, the empty string is "there is none".
func fact(s *string) string {
	switch {
	case s == nil:
		return "unknown"
	case *s == "":
		return "none"
	}
	return show(*s, 80)
}
