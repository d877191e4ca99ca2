package plan

import (
	"errors"
	"fmt"
	"slices"
)

// IDs are the steps' IDs in plan order; "" stands for a step without a resource.
func (p Plan) IDs() []string {
	ids := make([]string, len(p))
	for i, s := range p {
		if s.Resource != nil {
			ids[i] = s.ID()
		}
	}
	return ids
}

// Validate tells everything that keeps the plan from being walked, all at once:
// steps without a resource or an ID, one ID wanted twice, needs and afters that
// no step answers or that lead back to themselves, negative bounds. The roles that
// made the plan are to blame, so each error says which concern asked.
func (p Plan) Validate() error {
	ids := p.IDs()
	first := map[string]int{}
	var errs []error
	for i, s := range p {
		switch at, twice := first[ids[i]]; {
		case s.Resource == nil:
			errs = append(errs, fmt.Errorf("step %d of the plan (%s) has no resource", i+1, asked(s)))
		case ids[i] == "":
			errs = append(errs, fmt.Errorf("step %d of the plan (%s) has no ID", i+1, asked(s)))
		case twice:
			errs = append(errs, fmt.Errorf("%s is wanted twice: by %s and by %s", ids[i], asked(p[at]), asked(s)))
		default:
			first[ids[i]] = i
		}
		if s.Within < 0 {
			errs = append(errs, fmt.Errorf("%s (%s) is bounded by %v, which is less than nothing", ids[i], asked(s), s.Within))
		}
	}
	for i, s := range p {
		for _, need := range s.Needs {
			if _, ok := first[need]; !ok {
				errs = append(errs, fmt.Errorf("%s (%s) needs %q, which is no step of the plan", ids[i], asked(s), need))
			}
		}
		for _, other := range s.After {
			if _, ok := first[other]; !ok {
				errs = append(errs, fmt.Errorf("%s (%s) comes after %q, which is no step of the plan", ids[i], asked(s), other))
			}
		}
	}
	for _, c := range p.cycles(first) {
		errs = append(errs, fmt.Errorf("these steps wait for each other for ever: %s", c))
	}
	return errors.Join(errs...)
}

func asked(s Step) string {
	switch {
	case s.Concern == "" && s.Why == "":
		return "no concern named"
	case s.Why == "":
		return s.Concern
	}
	return s.Concern + ": " + s.Why
}

// cycles are the ways that lead from a step back to itself, in words, one for
// each need or after that closes one, with the step where it starts named again
// at its end.
func (p Plan) cycles(index map[string]int) []string {
	var found []string
	var path []string
	done := map[string]bool{}
	var walk func(id string)
	walk = func(id string) {
		i, known := index[id]
		if !known || done[id] {
			return
		}
		if at := slices.Index(path, id); at >= 0 {
			found = append(found, p.words(append(slices.Clone(path[at:]), id), index))
			return
		}
		path = append(path, id)
		for _, other := range unique(slices.Concat(p[i].Needs, p[i].After)) {
			walk(other)
		}
		path = path[:len(path)-1]
		done[id] = true
	}
	for _, id := range p.IDs() {
		walk(id)
	}
	return found
}

// words are a way from step to step: "a needs b comes after c".
func (p Plan) words(way []string, index map[string]int) string {
	said := way[0]
	for n, id := range way[1:] {
		verb := " comes after "
		if slices.Contains(p[index[way[n]]].Needs, id) {
			verb = " needs "
		}
		said += verb + id
	}
	return said
}

// unique keeps the first of equal strings, in order.
func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
