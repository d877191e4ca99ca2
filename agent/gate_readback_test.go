package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/roles"
	"reveille/roles/logins"
)

// Whatever passes the gate costs a login what was judged: the files are read
// back from the disk, and once more by a reading of this test's own, which
// knows their grammar alone and says all anew in another order and with other
// blanks.
func TestWhatWasWrittenCostsWhatWasJudged(t *testing.T) {
	passed := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := hosttest.New(t, randomDisk(rt))
		h := m.Offline()
		w := randomWanted(rt)
		w.Facts.Machine = facts.ReadMachine(h)
		p, err := roles.Plan(w.Facts, w.Profile)
		if err != nil {
			rt.Fatal(err)
		}
		w.Plan = p.Offline()
		gate, steps := Guard(h, w, w.Plan, plan.Disrupts)
		foretold := gate.after(facts.ReadLoginNames(h, w.Facts.Machine.Has), w.Plan) // as the gate judges
		if _, err := converge.Run(t.Context(), h, steps, converge.Options{Max: plan.Disrupts}); err != nil {
			rt.Fatal(err)
		}
		if gate.verdict.err != nil {
			return
		}
		passed++
		read := facts.ReadLogin(t.Context(), h)
		read.Running = foretold.Running // a client that is not installed yet counts as running, as it will
		cases := func(l facts.Login) []logins.Case { return Budget(l, "admin", "").Cases }
		if diff := cmp.Diff(cases(foretold), cases(read)); diff != "" {
			rt.Fatalf("judged (-) and read back (+)\n%s", diff)
		}
		anew := read
		anew.Files = map[string]string{}
		for path, text := range read.Files {
			anew.Files[path] = sayAnew(rt, path, text)
		}
		if diff := cmp.Diff(cases(read), cases(anew)); diff != "" {
			rt.Fatalf("read (-) and said anew (+)\n%s\n%v", diff, anew.Files)
		}
	})
	if passed == 0 {
		t.Error("none passed")
	}
}

// sayAnew reads a file of settings by its grammar, a key and its value in a line
// and, of sssd, sections; and says the same in another order of the keys. What
// is said of one key several times keeps its order.
func sayAnew(t *rapid.T, path, text string) string {
	between := "\t "
	switch path {
	case "/etc/sssd/sssd.conf":
		between = "="
	case "/etc/resolv.conf", "/etc/nslcd.conf", "/etc/libnss-ldap.conf", "/etc/pam_ldap.conf":
	default:
		return text // its lines are places that a wait tells
	}
	type said struct{ section, key, value string }
	var all []said
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		} else if line != "" && line[0] != '#' {
			key, value, _ := strings.Cut(line, strings.TrimLeft(between, "\t"))
			all = append(all, said{section, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	keys := map[string]int{}
	for _, s := range all {
		if _, met := keys[s.key]; !met {
			keys[s.key] = rapid.IntRange(0, 99).Draw(t, s.key)
		}
	}
	slices.SortStableFunc(all, func(a, b said) int {
		if in := strings.Compare(a.section, b.section); in != 0 {
			return in
		}
		return keys[a.key] - keys[b.key]
	})
	var out strings.Builder
	section = ""
	for _, s := range all {
		if s.section != section {
			section = s.section
			fmt.Fprintf(&out, "\n%s\n", section)
		}
		fmt.Fprintf(&out, "# %s\n%s%s%s\n\n", s.key, s.key, between, s.value)
	}
	return out.String()
}
