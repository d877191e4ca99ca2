package host

import (
	"errors"
	"path"
	"strings"
)

// ErrLoop says that a path leads through more links than the kernel follows.
var ErrLoop = errors.New("too many links")

// mostLinks is how many links the kernel follows on one way.
const mostLinks = 40

// Walk goes to a path as the kernel does, a component at a time, the links on
// the way followed. Whoever walks sees each place before it is looked at, and
// stops where it should not be: what another machine serves may never answer.
type Walk struct {
	h     *Host
	at    string   // without links
	next  string   // "" at the end
	rest  []string // what follows it
	links int
}

// Walk begins at the root, which is the first place. The path is absolute.
func (h *Host) Walk(p string) *Walk {
	w := &Walk{h: h}
	w.leads(p)
	return w
}

// Next is the place to look at, "" at the path's end. Nothing above it is a
// link. A ".." comes back to a place that was looked at before.
func (w *Walk) Next() string {
	w.next = ""
	for w.next == "" && len(w.rest) > 0 {
		if part := w.rest[0]; part != "" && part != "." {
			w.next = path.Join(w.at, part)
		}
		w.rest = w.rest[1:]
	}
	return w.next
}

// Look is Lstat of the place, and goes there, or where its link leads. The
// error is ErrLoop after more links than the kernel follows.
func (w *Walk) Look() (Info, error) {
	i, err := w.h.Lstat(w.next)
	switch {
	case err != nil:
		return Info{}, err
	case i.Link == "":
		w.at = w.next
	case w.links == mostLinks:
		return Info{}, ErrLoop
	default:
		w.links++
		w.leads(i.Link)
	}
	return i, nil
}

// leads puts a path before what is left of the way.
func (w *Walk) leads(to string) {
	parts := strings.Split(to, "/")
	if path.IsAbs(to) {
		w.at, parts[0] = "/", "/"
	}
	w.rest = append(parts, w.rest...)
}
