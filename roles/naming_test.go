package roles

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// asked is what the naming steps say, for a table.
type asked struct {
	Hosts, File, Live string
	CloudInit         bool
}

func readNaming(t *testing.T, steps plan.Plan) asked {
	t.Helper()
	var a asked
	for _, s := range steps {
		if s.Concern != "naming" || !s.Required || s.Why == "" {
			t.Errorf("%s: concern %q, required %v, why %q", s.ID(), s.Concern, s.Required, s.Why)
		}
		switch r := s.Resource.(type) {
		case resource.Hostname:
			a.Live = r.Name
			if a.Hosts != "" && !slices.Contains(s.Needs, "file:/etc/hosts") {
				t.Errorf("the name changes without /etc/hosts being so: needs %v", s.Needs)
			}
		case resource.File:
			switch r.Path {
			case hostsPath:
				a.Hosts = strings.Join(r.Edit.(resource.Block).Lines, "\n")
			case hostnamePath:
				a.File = strings.TrimSuffix(string(r.Content), "\n")
			case cloudInitPath:
				a.CloudInit = strings.Contains(string(r.Content), "\npreserve_hostname: true\n")
			}
		case plan.Describer:
			if s.ID() == "hostname" {
				a.Live = r.Describe()
			} else {
				a.Hosts = r.Describe()
			}
		}
	}
	return a
}

func namingFacts(change func(*facts.Facts)) facts.Facts {
	var f facts.Facts
	f.Instance.PrivateIP = facts.Known("10.0.0.5")
	f.Instance.IPv6 = facts.Absent[string]()
	f.Instance.Hostname = facts.Known("ip-10-0-0-5.ec2.internal")
	f.Instance.LocalHostname = facts.Known("ip-10-0-0-5.ec2.internal")
	f.Machine.OS.ID = "debian"
	f.Machine.Hostname = "debian"
	if change != nil {
		change(&f)
	}
	return f
}

func TestNaming(t *testing.T) {
	long := strings.Repeat("long-domain.", 6) + "private" // 79 bytes
	for name, c := range map[string]struct {
		id   Identity
		with func(*facts.Facts)
		want asked
	}{
		"name and domain": {
			Identity{Hostname: "dev-mysql01", Domain: "acme.private"}, nil,
			asked{Hosts: "10.0.0.5 dev-mysql01.acme.private dev-mysql01", File: "dev-mysql01", Live: "dev-mysql01"},
		},
		"a full name beats the domain": {
			Identity{Hostname: "db1.other.private", Domain: "acme.private"}, nil,
			asked{Hosts: "10.0.0.5 db1.other.private db1", File: "db1", Live: "db1"},
		},
		"no domain": {
			Identity{Hostname: "demo01"}, nil,
			asked{Hosts: "10.0.0.5 demo01", File: "demo01", Live: "demo01"},
		},
		"the full name in the kernel of RHEL's family": {
			Identity{Hostname: "dev-mysql01", Domain: "acme.private"},
			func(f *facts.Facts) { f.Machine.OS.ID = "rocky" },
			asked{Hosts: "10.0.0.5 dev-mysql01.acme.private dev-mysql01", File: "dev-mysql01.acme.private", Live: "dev-mysql01.acme.private"},
		},
		"a full name that the kernel cannot hold": {
			Identity{Hostname: "dev-mysql01", Domain: long},
			func(f *facts.Facts) { f.Machine.OS.ID = "rocky" },
			asked{Hosts: "10.0.0.5 dev-mysql01." + long + " dev-mysql01", File: "dev-mysql01", Live: "dev-mysql01"},
		},
		"IPv6 only": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) {
				f.Instance.PrivateIP, f.Instance.IPv6 = facts.Absent[string](), facts.Known("2600:1f18::5")
			},
			asked{Hosts: "2600:1f18::5 demo01", File: "demo01", Live: "demo01"},
		},
		"no address at all": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) { f.Instance.PrivateIP = facts.Absent[string]() },
			asked{Hosts: "127.0.1.1 demo01", File: "demo01", Live: "demo01"},
		},
		"address unknown, and no line yet": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) { f.Instance.PrivateIP = facts.Unknown[string](facts.TimedOut, "") },
			asked{Hosts: "127.0.1.1 demo01", File: "demo01", Live: "demo01"},
		},
		"IPv4 address unknown, IPv6 known": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) {
				f.Instance.PrivateIP, f.Instance.IPv6 = facts.Unknown[string](facts.TimedOut, ""), facts.Known("2600:1f18::5")
			},
			asked{Hosts: "127.0.1.1 demo01", File: "demo01", Live: "demo01"},
		},
		"address unknown, and a line of ours": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) {
				f.Instance.PrivateIP = facts.Unknown[string](facts.TimedOut, "")
				f.Machine.Owned = []facts.Owned{{Path: "/etc/hosts", Concern: "naming"}}
			},
			asked{Hosts: "left as it is until this is known: the instance's private address\n", File: "demo01", Live: "demo01"},
		},
		"cloud-init": {
			Identity{Hostname: "demo01"},
			func(f *facts.Facts) { f.Machine.CloudInit = true },
			asked{Hosts: "10.0.0.5 demo01", File: "demo01", Live: "demo01", CloudInit: true},
		},
		"nothing names it": {
			Identity{}, nil,
			asked{Hosts: "10.0.0.5 ip-10-0-0-5.ec2.internal ip-10-0-0-5", File: "ip-10-0-0-5", Live: "ip-10-0-0-5"},
		},
		"nothing names it, but a domain": {
			Identity{Domain: "acme.private"}, nil,
			asked{Hosts: "10.0.0.5 ip-10-0-0-5.acme.private ip-10-0-0-5", File: "ip-10-0-0-5", Live: "ip-10-0-0-5"},
		},
		"EC2 answers several names": {
			Identity{},
			func(f *facts.Facts) { f.Instance.Hostname = facts.Known("ip-10-0-0-5.a.private b.private") },
			asked{Hosts: "10.0.0.5 ip-10-0-0-5.a.private ip-10-0-0-5", File: "ip-10-0-0-5", Live: "ip-10-0-0-5"},
		},
		"EC2's first answer is no name": {
			Identity{},
			func(f *facts.Facts) { f.Instance.Hostname = facts.Known("_") },
			asked{Hosts: "10.0.0.5 ip-10-0-0-5.ec2.internal ip-10-0-0-5", File: "ip-10-0-0-5", Live: "ip-10-0-0-5"},
		},
		// cloud-init may have a name of its own, or not have come to it yet.
		"nothing names it but cloud-init": {
			Identity{Domain: "acme.private"},
			func(f *facts.Facts) { f.Machine.CloudInit = true },
			asked{Live: "left as it is\n"},
		},
		"nothing names it and EC2 is silent": {
			Identity{},
			func(f *facts.Facts) {
				f.Instance.Hostname, f.Instance.LocalHostname = facts.Fact[string]{}, facts.Fact[string]{}
			},
			asked{Live: "left as it is\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			steps, err := planNaming(namingFacts(c.with), Profile{Identity: c.id})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, readNaming(t, steps)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamingSaysWhenNothingNamesTheHost(t *testing.T) {
	steps, err := planNaming(namingFacts(func(f *facts.Facts) {
		f.Instance.Hostname = facts.Unknown[string](facts.TimedOut, "")
		f.Instance.LocalHostname = f.Instance.Hostname
	}), Profile{})
	if err != nil || len(steps) != 1 {
		t.Fatalf("%d steps, error %v", len(steps), err)
	}
	for _, want := range []string{"nothing names this host", "timed-out", "left alone", "hostname=NAME"} {
		if !strings.Contains(steps[0].Why, want) {
			t.Errorf("why %q does not say %q", steps[0].Why, want)
		}
	}
}

func TestNamingRefusesAFullNameThatDNSCannotHold(t *testing.T) {
	p := Profile{Identity: Identity{Hostname: "db1", Domain: strings.Repeat("a123456789.", 23) + "private"}}
	if _, err := planNaming(namingFacts(nil), p); err == nil || !strings.Contains(err.Error(), "253 at most") {
		t.Errorf("error %v, want one that says the bound", err)
	}
}

func TestNamingRefusesLocalhost(t *testing.T) {
	for _, name := range []string{"localhost", "LOCALHOST", "localhost.localdomain"} {
		p := Profile{Identity: Identity{Hostname: name}}
		if _, err := planNaming(namingFacts(nil), p); err == nil {
			t.Errorf("%q passes for a machine's name", name)
		}
	}
}
