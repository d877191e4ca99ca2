package facts

import "reveille/bootstrap/originals"

// owned is what the agent has changed here, and for which instance. A record
// that cannot be read is a problem and hides no other.
func (l *looker) owned() ([]Owned, string) {
	s, err := originals.Load(l.h)
	if err != nil {
		l.fail(originals.Dir, err)
	}
	all := []Owned{}
	for _, e := range s.List() {
		all = append(all, Owned{Path: e.Path, Concern: e.Concern})
	}
	return all, s.Owner()
}
