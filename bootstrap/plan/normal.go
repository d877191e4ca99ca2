package plan

import "slices"

// Normal is the plan with what follows from it written out: what a required
// step needs, however far away, is required too. The plan itself is untouched.
func (p Plan) Normal() Plan {
	out := slices.Clone(p)
	index := map[string]int{}
	for i, id := range out.IDs() {
		if _, twice := index[id]; !twice {
			index[id] = i
		}
	}
	var require func(needs []string)
	require = func(needs []string) {
		for _, need := range needs {
			if i, ok := index[need]; ok && !out[i].Required {
				out[i].Required = true
				require(out[i].Needs)
			}
		}
	}
	for _, s := range p {
		if s.Required {
			require(s.Needs)
		}
	}
	return out
}

// Offline is the plan for a root that is not the running machine's: live steps
// are left out, and what needed one needs what that one needed. What came after
// one, or needed it, comes after whatever that one waited for. What a left-out
// step made required stays so.
func (p Plan) Offline() Plan {
	normal := p.Normal()
	ids := normal.IDs()
	dropped := map[string]bool{}
	needs, waits := map[string][]string{}, map[string][]string{} // of all steps that are left out
	for i, s := range normal {
		if live(s) {
			dropped[ids[i]] = true
			needs[ids[i]], waits[ids[i]] = s.Needs, slices.Concat(s.Needs, s.After)
		}
	}
	var out Plan
	for _, s := range normal {
		if !live(s) {
			// Only what is reached by needs alone must be so.
			all := through(slices.Concat(s.Needs, s.After), dropped, waits)
			s.Needs = through(s.Needs, dropped, needs)
			s.After = slices.DeleteFunc(all, func(id string) bool { return slices.Contains(s.Needs, id) })
			if len(s.After) == 0 {
				s.After = nil
			}
			out = append(out, s)
		}
	}
	return out
}

func live(s Step) bool {
	l, ok := s.Resource.(Liver)
	return ok && l.Live()
}

// through replaces each step that is left out by what it waited for itself, in
// its place.
func through(needs []string, dropped map[string]bool, waited map[string][]string) []string {
	var out []string
	seen := map[string]bool{}
	var add func(needs []string)
	add = func(needs []string) {
		for _, need := range needs {
			if seen[need] {
				continue
			}
			seen[need] = true
			if dropped[need] {
				add(waited[need])
			} else {
				out = append(out, need)
			}
		}
	}
	add(needs)
	return out
}
