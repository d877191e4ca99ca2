package storage

import (
	"context"
	"errors"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// modelCases is how many are drawn where nobody asks for another number by
// -rapid.checks, as the soak does.
const modelCases = 2000

// Whatever lies on the volumes, and whatever the profile wants of them: no plan
// would write on a device that holds something, and no tool does, or does
// without consent; what is refused has changed nothing; and once a pass has come
// to its end, the next writes nothing.
func TestNoStateOfTheDisksLosesData(t *testing.T) {
	cases := casesOf(t)
	root := inMemory(t)
	ran, drawn := map[string]int{}, 0
	rapid.Check(t, func(rt *rapid.T) {
		drawn++
		dir, err := os.MkdirTemp(root, "case-")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := drawModel(t, rt, dir)
		m.campaign()
		for _, tool := range m.all {
			ran[tool]++
		}
		ran["refused"] += m.refused
		if len(m.faults) > 0 {
			rt.Fatalf("%s\n%s", strings.Join(m.faults, "\n"), m.describe())
		}
	})
	if t.Failed() || cases < 1000 {
		return
	}
	if drawn < cases {
		t.Errorf("%d cases of %d", drawn, cases)
	}
	for _, what := range append(slices.Concat(writes, grows), "refused") {
		if (ran[what] == 0) != (what == "--zero-superblock") {
			t.Errorf("%s: %d times in %d cases", what, ran[what], drawn)
		}
	}
	t.Logf("%d cases: %v", drawn, ran)
}

// casesOf has as many cases drawn as are asked for.
func casesOf(t *testing.T) int {
	t.Helper()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	checks := flag.Lookup("rapid.checks")
	if !asked {
		was := checks.Value.String()
		_ = checks.Value.Set(strconv.Itoa(modelCases))
		t.Cleanup(func() { _ = checks.Value.Set(was) })
	}
	n, _ := checks.Value.(flag.Getter).Get().(int)
	return n
}

// inMemory is a folder for which nobody waits for a disk, where there is one.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "reveille-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// campaign is passes until one broke off nowhere, and another that must find
// nothing to write.
func (m *model) campaign() {
	m.pass()
	if len(m.all) == 0 {
		return // the next would find the same
	}
	if m.broke {
		m.breaks, m.broke = 0, false
		m.pass()
	}
	written := len(m.all)
	m.pass()
	if again := m.all[written:]; len(again) > 0 {
		m.fault("the pass after one that came to its end ran %q", again)
	}
}

// pass goes over all chains; the power may go in it.
func (m *model) pass() {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case cutShort:
			m.powerCut()
		default:
			panic(r)
		}
	}()
	for _, chain := range m.chains {
		var so []plan.Resource
		for _, r := range chain {
			if !m.turn(r) {
				break // what lies upon it needs it
			}
			so = append(so, r)
		}
		for _, g := range m.growths(so) {
			m.turn(g) // nothing needs it
		}
	}
}

// turn is one resource's: look, do, look again. It is true once all is so.
func (m *model) turn(r plan.Resource) bool {
	half := m.halves()
	m.before = m.state()
	m.Forget()
	m.wrote = nil
	so, err := m.settle(r)
	for _, e := range m.Effects() {
		if !strings.HasPrefix(e, "run:") && !strings.HasPrefix(e, "unit:") && !strings.HasPrefix(e, "write:"+m.storage.Folder+"/intents/") && e != "mkdir:"+m.storage.Folder+"/intents" && !strings.HasPrefix(e, "remove:"+m.storage.Folder+"/intents/AWS") {
			m.fault("%s: an effect beside the intents: %s", r.ID(), e)
		}
	}
	if err == nil || m.broke {
		return so
	}
	m.refused++
	more := slices.DeleteFunc(m.halves(), func(h string) bool { return slices.Contains(half, h) })
	if len(m.wrote) > 0 || m.state() != m.before || len(more) > 0 {
		m.fault("%s was refused, and yet it ran %q and noted %q: %v\nbefore %s\nafter  %s", r.ID(), m.wrote, more, err, m.before, m.state())
	}
	return false
}

// settle is what a walk does with a resource. What does not fit in its time is
// waited for, and no refusal.
func (m *model) settle(r plan.Resource) (so bool, err error) {
	ctx := plan.WithGrant(plan.WithAllowed(context.Background(), m.most), m.grant)
	h := m.Host()
	var wait *plan.NotYet
	for range 5 {
		changes, err := m.look(ctx, h, r)
		if errors.As(err, &wait) {
			return false, nil
		}
		if err != nil || len(changes) == 0 {
			return err == nil, err
		}
		if slices.ContainsFunc(changes, func(c plan.Change) bool { return c.Risk > m.most }) {
			return false, nil
		}
		m.comes(r, changes)
		for _, c := range changes {
			if err := c.Do(ctx); err != nil && !errors.As(err, &wait) {
				return false, err
			}
		}
	}
	m.fault("%s comes to no end; ran %q", r.ID(), m.ran)
	return false, nil
}

// comes lets somebody write to a device between the look and the deed.
func (m *model) comes(r plan.Resource, changes []plan.Change) {
	if !m.meanwhile || changes[0].Risk != plan.Destroys {
		return
	}
	_, _, on := createOf(r)
	if len(on) == 0 {
		return
	}
	if a := m.at(m.kernelOf(on[len(on)-1])); a.owner == nobodys {
		m.meanwhile, *a = false, area{owner: taken, head: true}
		m.before = m.state()
	}
}

// look is a plan: what it would destroy must be nothing.
func (m *model) look(ctx context.Context, h *host.Host, r plan.Resource) ([]plan.Change, error) {
	m.looking = true
	defer func() { m.looking = false }()
	changes, err := r.Check(ctx, h)
	for _, c := range changes {
		if c.Risk != plan.Destroys || m.most < plan.Destroys {
			continue
		}
		if why := m.forbids(r); why != "" {
			m.fault("%s: the plan says %q: %s", r.ID(), c.Say, why)
		}
	}
	return changes, err
}
