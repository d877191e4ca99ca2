package roles

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

func decidedFacts() facts.Facts {
	f := namingFacts(nil)
	f.UserData.State = facts.Known(facts.Digest{Size: 20})
	f.Instance.Tags = facts.Absent[map[string]string]()
	f.Instance.SecurityGroups = facts.Known([]string{"dev"})
	f.Instance.Region, f.Instance.Zone = facts.Known("us-east-1"), facts.Known("us-east-1a")
	f.Machine.Owned = []facts.Owned{
		{Path: "/etc/hosts", Concern: "naming"},
		{Path: "/etc/nslcd.conf", Concern: "directory"},
		{Path: "/etc/nsswitch.conf", Concern: "nameservice"},
		{Path: "/etc/resolv.conf", Concern: "resolver"},
	}
	return f
}

func undone(p plan.Plan) map[string][]string {
	out := map[string][]string{}
	for _, s := range p {
		if id := s.ID(); len(id) > 9 && id[:9] == "original:" {
			out[id] = s.Needs
		}
	}
	return out
}

func TestUndoWhatNothingAsksFor(t *testing.T) {
	p := resolverProfile(func(p *Profile) { p.Identity.Hostname = "demo01" })
	steps, err := Plan(decidedFacts(), p)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"original:/etc/nsswitch.conf": nil,
		// Never a source whose client has lost its file.
		"original:/etc/nslcd.conf": {"original:/etc/nsswitch.conf"},
	}
	if diff := cmp.Diff(want, undone(steps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Where only the client changed, nsswitch.conf names the new one before the old
// one loses its file.
func TestUndoOfAClientWaitsForTheNameService(t *testing.T) {
	p := resolverProfile(func(p *Profile) { p.Directory, p.Identity.Hostname = usersProfile("auto").Directory, "demo01" })
	f := decidedFacts()
	f.Machine.Has.SSSD = true // nslcd.conf is ours from before
	steps, err := Plan(f, p)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"original:/etc/nslcd.conf": {"file:/etc/nsswitch.conf"},
	}
	if diff := cmp.Diff(want, undone(steps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The line with the host's own name outlives the name.
func TestUndoOfTheNameEndsWithTheHostsFile(t *testing.T) {
	f := decidedFacts()
	f.Machine.CloudInit = true // nothing here names the host
	f.Machine.Owned = append(f.Machine.Owned, facts.Owned{Path: "/etc/hostname", Concern: "naming"})
	steps, err := Plan(f, resolverProfile(nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"original:/etc/hostname"}, undone(steps)["original:/etc/hosts"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Unknown is never absent: what might still be wanted stays.
func TestUndoWaitsForWhatIsUnknown(t *testing.T) {
	p := resolverProfile(nil)
	for name, forget := range map[string]func(*facts.Facts){
		"user-data":           func(f *facts.Facts) { f.UserData.State = facts.Fact[facts.Digest]{} },
		"user-data is broken": func(f *facts.Facts) { f.UserData.Broken = "not gzip" },
		"tags":                func(f *facts.Facts) { f.Instance.Tags = facts.Fact[map[string]string]{} },
		"security groups":     func(f *facts.Facts) { f.Instance.SecurityGroups = facts.Fact[[]string]{} },
		"host name":           func(f *facts.Facts) { f.Instance.Hostname = facts.Fact[string]{} },
		"region":              func(f *facts.Facts) { f.Instance.Region = facts.Fact[string]{} },
		"zone":                func(f *facts.Facts) { f.Instance.Zone = facts.Fact[string]{} },
		"private address":     func(f *facts.Facts) { f.Instance.PrivateIP = facts.Fact[string]{} },
	} {
		f := decidedFacts()
		forget(&f)
		steps, err := Plan(f, p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := undone(steps); len(got) > 0 {
			t.Errorf("%s unknown, yet undone: %v", name, got)
		}
	}
}
