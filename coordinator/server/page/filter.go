package page

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

// Filter is which instances the fleet page lists. The zero Filter lists all.
type Filter struct {
	Role   *string // nil: any; "": those without one
	State  api.State
	Zone   string
	Search string // part of a host name or id, in any case
	Page   int    // from 0
}

// ParseFilter reads the page's own parameters. Empty ones come from its form.
func ParseFilter(v url.Values) (Filter, error) {
	f := Filter{State: api.State(v.Get("state")), Zone: v.Get("zone"), Search: strings.TrimSpace(v.Get("q"))}
	if role := v.Get("role"); role != "" {
		f.Role = &role
	} else if v.Get("norole") != "" {
		f.Role = new(string)
	}
	var errs []error
	if f.State != "" {
		errs = append(errs, api.CheckState(f.State))
	}
	if p := v.Get("page"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 1<<20 {
			errs = append(errs, fmt.Errorf("page %.40q: want a number from 1", p))
		}
		f.Page = n - 1
	}
	return f, errors.Join(errs...)
}

func (f Filter) matches(h store.Head) bool {
	if f.Role != nil && h.Role != *f.Role || f.State != "" && h.State != f.State || f.Zone != "" && h.Zone != f.Zone {
		return false
	}
	want := strings.ToLower(f.Search)
	return strings.Contains(strings.ToLower(h.Host), want) || strings.Contains(strings.ToLower(h.ID), want)
}

// link is the page's address with this filter. All of it is made here, so it
// needs no further escaping as a URL.
func (f Filter) link() template.URL {
	v := url.Values{}
	set := func(key, value string) {
		if value != "" {
			v.Set(key, value)
		}
	}
	if f.Role != nil {
		set("role", *f.Role)
		if *f.Role == "" {
			set("norole", "1")
		}
	}
	set("state", string(f.State))
	set("zone", f.Zone)
	set("q", f.Search)
	if f.Page > 0 {
		set("page", strconv.Itoa(f.Page+1))
	}
	if len(v) == 0 {
		return "/"
	}
	return template.URL("/?" + v.Encode())
}

func (f Filter) role(role string) Filter { f.Role, f.Page = &role, 0; return f }

func (f Filter) state(s api.State) Filter { f.State, f.Page = s, 0; return f }

func (f Filter) page(n int) Filter { f.Page = n; return f }

// chip is one part of a filter, with the address of the page without it.
type chip struct {
	Text    string
	Without template.URL
}

func (f Filter) chips() []chip {
	var out []chip
	if f.Role != nil {
		g := f
		g.Role, g.Page = nil, 0
		out = append(out, chip{"role: " + roleName(*f.Role), g.link()})
	}
	if f.State != "" {
		out = append(out, chip{"state: " + string(f.State), f.state("").link()})
	}
	if f.Zone != "" {
		g := f
		g.Zone, g.Page = "", 0
		out = append(out, chip{"zone: " + show(f.Zone, 60), g.link()})
	}
	if f.Search != "" {
		g := f
		g.Search, g.Page = "", 0
		out = append(out, chip{"name has " + show(f.Search, 60), g.link()})
	}
	return out
}

// fields are the parts of the filter that the search form must carry along.
func (f Filter) fields() []field {
	var out []field
	switch {
	case f.Role == nil:
	case *f.Role == "":
		out = append(out, field{"norole", "1"})
	default:
		out = append(out, field{"role", *f.Role})
	}
	out = append(out, field{"state", string(f.State)}, field{"zone", f.Zone})
	return slices.DeleteFunc(out, func(p field) bool { return p.Value == "" })
}

type field struct{ Name, Value string }

func roleName(role string) string {
	if role == "" {
		return "no role"
	}
	return show(role, 60)
}
