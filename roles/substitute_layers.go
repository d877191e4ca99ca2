package roles

import (
	"errors"
	"fmt"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// fillAll fills ${} in every value that holds, once, and checks what came out
// by the key's type: first vars, then the host's name, then all the rest.
func (m *layered) fillAll(f facts.Facts) (Errors, []*UnknownFact) {
	w := filler{m: m, names: &namesOf{facts: f}}
	if !w.fillNames() {
		return w.errs, w.unknown
	}
	for _, path := range m.below("") {
		if path != hostnameKey && !under(path, "vars") {
			w.leaf(path)
		}
	}
	return w.errs, w.unknown
}

const (
	hostnameKey = "identity.hostname"
	maxVars     = 200 // more are a mistake, and each misspelt name is compared with all
)

type filler struct {
	m       *layered
	names   *namesOf
	errs    Errors
	unknown []*UnknownFact
}

// fillNames fills what the other values ask for: vars, which may use what the
// instance says but not each other, and then the host's name. False: there are
// too many, and nothing was filled.
func (w *filler) fillNames() bool {
	vars := w.m.below("vars")
	if len(vars) > maxVars {
		w.errs = append(w.errs, errorAt(w.m.live[vars[maxVars]].at, "%d names in vars are too many: at most %d are taken", len(vars), maxVars))
		return false
	}
	w.names.vars = map[string]string{}
	for _, path := range vars {
		w.names.vars[path[len("vars."):]] = ""
	}
	w.names.inner = "vars"
	filled := map[string]string{}
	for _, path := range vars {
		w.leaf(path)
		filled[path[len("vars."):]] = w.m.live[path].value.text
	}
	w.names.vars, w.names.inner = filled, ""
	if _, ok := w.m.live[hostnameKey]; ok {
		w.hostname(hostnameKey)
		w.names.host = w.m.live[hostnameKey].value.text
	}
	return true
}

// hostname is filled before ${hostname} is known; vars it may use.
func (w *filler) hostname(path string) {
	for _, name := range references(w.m.live[path].value.text) {
		if name == "hostname" {
			w.errs = append(w.errs, errorAt(w.m.live[path].at, "%s: ${hostname} cannot be used in the host's own name", path))
			return
		}
	}
	w.leaf(path)
}

// leaf fills one key's value, or each entry of its list.
func (w *filler) leaf(path string) {
	l := w.m.live[path]
	if l.key.fixed || l.layer == Defaults {
		return
	}
	before := len(w.errs) + len(w.unknown)
	v := leafValue{list: l.value.list}
	if !v.list {
		v.text = w.text(l, l.at, l.value.text)
	}
	for i, it := range l.value.items {
		v.items = append(v.items, w.item(l, i, it))
	}
	if v.list && len(w.errs)+len(w.unknown) == before {
		d := decoder{}
		d.count(l.key, path, l.at, v)
		w.errs = append(w.errs, d.errs...)
	}
	l.value = v
	w.m.live[path] = l
	if i, ok := w.m.from[path]; ok {
		if s := &w.m.said[i]; s.Value != v.String() {
			s.Written, s.Value = s.Value, v.String()
		}
	}
}

// item fills one entry of a list: a text, or all that a map holds.
func (w *filler) item(l leaf, i int, it leafItem) leafItem {
	if l.key.entry == nil {
		l.key = l.key.item(i)
		return leafItem{text: w.text(l, it.at, it.text), at: it.at}
	}
	out := leafItem{at: it.at}
	for _, f := range it.fields {
		v := leafValue{list: f.value.list}
		if !v.list {
			v.text = w.text(f, f.at, f.value.text)
		}
		for n, word := range f.value.items {
			v.items = append(v.items, w.item(f, n, word))
		}
		f.value = v
		out.fields = append(out.fields, f)
	}
	out.text = entryText(out.fields)
	return out
}

func (w *filler) text(l leaf, at cite.Place, text string) string {
	out, err := fill(text, w.names.lookup)
	var unknown *UnknownFact
	switch {
	case errors.As(err, &unknown):
		unknown.key = l.path
		unknown.For = fmt.Sprintf("%s in %s at %s", unknown.For, l.path, at)
		w.unknown = append(w.unknown, unknown)
	case err != nil:
		w.errs = append(w.errs, errorAt(at, "%s: %v", l.path, err))
	default:
		if err := l.key.is.check(out); err != nil {
			say := errorAt(at, "%s: %v", l.path, err)
			if out != text {
				say.Message += fmt.Sprintf(" (filled in from %s)", cite.Quote(text))
			}
			w.errs = append(w.errs, say)
		}
		return out
	}
	return text
}
