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
// are left out, and what needed one needs what that one needed. What a left-out
// step made required stays so.
func (p Plan) Offline() Plan {
	normal := p.Normal()
	ids := normal.IDs()
	dropped := map[string][]string{}
	for i, s := range normal {
		if live(s) {
			dropped[ids[i]] = s.Needs
		}
	}
	var out Plan
	for _, s := range normal {
		if !live(s) {
			s.Needs = through(s.Needs, dropped)
			out = append(out, s)
		}
	}
	return out
}

func live(s Step) bool {
	l, ok := s.Resource.(Liver)
	return ok && l.Live()
}

// through replaces each dropped need by what it needed itself, in its place.
func through(needs []string, dropped map[string][]string) []string {
	var out []string
	seen := map[string]bool{}
	var add func(needs []string)
	add = func(needs []string) {
		for _, need := range needs {
			if seen[need] {
				continue
			}
			seen[need] = true
			if further, gone := dropped[need]; gone {
				add(further)
			} else {
				out = append(out, need)
			}
		}
	}
	add(needs)
	return out
}
