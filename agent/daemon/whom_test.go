package daemon

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"reveille/coordinator/api"
	"reveille/roles"
)

// What a pass leaves of whom to tell is written before it lets go of the lock,
// into a folder that is root's alone: by the time Whom is known, all is kept.
func TestWhomIsKeptForARefusedPass(t *testing.T) {
	m := machine(t, thisID)
	h := m.Host()
	p := Pass{Config: config(t, h, crawl(thisID)), Kind: Boot, Tell: true}
	out := Outcome{Report: api.Report{InstanceID: thisID}, Decided: true}
	out.Wanted.Profile.Coordinator = &roles.Coordinator{URLs: []string{"http://127.0.0.1:1"}}
	p.whom(out)

	folder := filepath.Dir(filepath.Join(m.Root, whomPath(thisID)))
	if i, err := os.Stat(folder); err != nil || i.Mode().Perm() != fs.FileMode(0o700) {
		t.Errorf("the instance's folder: %v %v", i, err)
	}
	m.Forget()
	if got := p.whom(out); len(got) != 1 || m.Writes() != 0 {
		t.Errorf("told again: %v, with %v", got, m.Effects())
	}
	refused := Outcome{Report: api.Report{InstanceID: thisID}}
	if got := p.whom(refused); len(got) != 1 || got[0] != "http://127.0.0.1:1" {
		t.Errorf("a refused pass tells %v", got)
	}
	if got := p.whom(Outcome{Report: api.Report{InstanceID: otherID}}); got != nil {
		t.Errorf("another instance tells %v", got)
	}
	out.Wanted.Profile.Coordinator = nil // the section was taken out
	if got := p.whom(out); got != nil || len(p.whom(refused)) != 0 {
		t.Errorf("nobody is to be told any more, and yet %v", got)
	}
}
