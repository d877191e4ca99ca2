package roles

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
)

func resolverProfile(change func(*Profile)) Profile {
	p := Profile{Resolver: &Resolver{
		Nameservers: []string{"10.0.0.2"}, Timeout: time.Second, Attempts: 1,
	}}
	if change != nil {
		change(&p)
	}
	return p
}

func TestResolvConf(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Profile)
		want   string // without the header
	}{
		"one server": {nil, "nameserver 10.0.0.2\noptions timeout:1 attempts:1\n"},
		"domain first, once": {
			func(p *Profile) {
				p.Identity.Domain = "acme.private"
				p.Resolver.Search = []string{"acme.public", "ACME.private"}
			},
			"search acme.private acme.public\nnameserver 10.0.0.2\noptions timeout:1 attempts:1\n",
		},
		"a full host name's own domain": {
			func(p *Profile) {
				p.Identity = Identity{Hostname: "db1.eu.acme.private", Domain: "acme.private"}
				p.Resolver.Search = []string{"acme.private"}
			},
			"search eu.acme.private acme.private\nnameserver 10.0.0.2\noptions timeout:1 attempts:1\n",
		},
		"order kept, both families, rotation": {
			func(p *Profile) {
				p.Resolver = &Resolver{
					Nameservers: []string{"10.0.1.2", "fd00:ec2::253", "10.0.0.2"},
					Timeout:     2 * time.Second, Attempts: 3, Rotate: true,
				}
			},
			"nameserver 10.0.1.2\nnameserver fd00:ec2::253\nnameserver 10.0.0.2\noptions timeout:2 attempts:3 rotate\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := resolverProfile(c.change)
			got, err := renderResolv(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(header("resolver", p)+c.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What glibc would cap or drop in silence is refused, all of it at once.
func TestResolvConfRefuses(t *testing.T) {
	seven := []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example"}
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4) + "example"
	for name, c := range map[string]struct {
		change func(*Profile)
		want   []string
	}{
		"no server":       {func(p *Profile) { p.Resolver.Nameservers = nil }, []string{"0 servers"}},
		"four servers":    {func(p *Profile) { p.Resolver.Nameservers = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"} }, []string{"4 servers"}},
		"a name":          {func(p *Profile) { p.Resolver.Nameservers = []string{"ns1"} }, []string{`"ns1"`}},
		"an interface":    {func(p *Profile) { p.Resolver.Nameservers = []string{"fe80::1%eth0"} }, []string{"%eth0"}},
		"a second line":   {func(p *Profile) { p.Resolver.Nameservers = []string{"10.0.0.1\nnameserver 10.0.0.66"} }, []string{`\n`}},
		"no time-out":     {func(p *Profile) { p.Resolver.Timeout = 0 }, []string{"resolver.timeout"}},
		"half seconds":    {func(p *Profile) { p.Resolver.Timeout = 1500 * time.Millisecond }, []string{"whole seconds"}},
		"half a minute +": {func(p *Profile) { p.Resolver.Timeout = 31 * time.Second }, []string{"31s"}},
		"six attempts":    {func(p *Profile) { p.Resolver.Attempts = 6 }, []string{"resolver.attempts"}},
		"seven domains":   {func(p *Profile) { p.Resolver.Search = seven }, []string{"7 domains"}},
		"long domains":    {func(p *Profile) { p.Resolver.Search = []string{long, "b.example"} }, []string{"261 bytes"}},
		"a blank inside":  {func(p *Profile) { p.Resolver.Search = []string{"a b"} }, []string{`"a b"`}},
		"all at once": {
			func(p *Profile) { p.Resolver.Timeout, p.Resolver.Attempts = 0, 0 },
			[]string{"resolver.timeout", "resolver.attempts"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := renderResolv(resolverProfile(c.change))
			if err == nil {
				t.Fatalf("accepted:\n%s", got)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestStubIsNoServerWhereResolvedRuns(t *testing.T) {
	p := resolverProfile(func(p *Profile) { p.Resolver.Nameservers = []string{"127.0.0.53"} })
	f := facts.Facts{}
	if _, err := planResolver(f, p); err != nil {
		t.Errorf("refused where something else listens there: %v", err)
	}
	f.Machine.Resolv.Resolved = true
	if _, err := planResolver(f, p); err == nil || !strings.Contains(err.Error(), "time-out") {
		t.Errorf("error %v, want one that speaks of time-outs", err)
	}
}

// A writer that cannot be kept off must not hold the file back.
func TestResolvConfNeedsNothing(t *testing.T) {
	f := facts.Facts{}
	f.Machine.Resolv = facts.Resolv{Exists: true, NetworkManager: true, Dhclient: true, Dhcpcd: true, Resolvconf: true}
	for _, family := range []string{"debian", "rocky"} {
		f.Machine.OS.ID = family
		steps, err := planResolver(f, resolverProfile(nil))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"file:" + nmDropIn, "unit:NetworkManager.service", "file:" + platformOf(f.Machine.OS).DhclientHook,
			"file:" + dhcpcdHook, "file:" + resolvconfConf, "file:" + resolvPath,
		}
		if diff := cmp.Diff(want, steps.IDs()); diff != "" {
			t.Errorf("%s: steps (-want +got):\n%s", family, diff)
		}
		for _, s := range steps {
			unit := strings.HasPrefix(s.ID(), "unit:") // it reads its file, and holds nothing back
			if len(s.Needs) > 0 != unit || s.Required == unit || s.Why == "" {
				t.Errorf("%s needs %v, required %v, why %q", s.ID(), s.Needs, s.Required, s.Why)
			}
		}
		hook := steps[2].Resource.(resource.File)
		if shared := hook.Edit != nil; shared != (family == "rocky") {
			t.Errorf("%s: dhclient's hook is edited: %v", family, shared)
		}
	}
}

// glibcConf is what glibc 2.36's resolver makes of the file.
type glibcConf struct {
	search, servers   []string
	timeout, attempts int
	rotate            bool
}

// readAsGlibc follows resolv/res_init.c: keywords at the start of a line, the
// last of domain and search wins, three servers, options capped in silence.
func readAsGlibc(text string) glibcConf {
	c := glibcConf{timeout: 5, attempts: 2}
	for line := range strings.Lines(text) {
		if line[0] == '#' || line[0] == ';' {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 2 || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		switch words[0] {
		case "domain":
			c.search = words[1:2]
		case "search":
			c.search = words[1:]
		case "nameserver":
			if _, err := netip.ParseAddr(words[1]); err == nil && len(c.servers) < 3 {
				c.servers = append(c.servers, words[1])
			}
		case "options":
			for _, o := range words[1:] {
				key, value, _ := strings.Cut(o, ":")
				n, _ := strconv.Atoi(value)
				switch key {
				case "timeout":
					c.timeout = min(n, 30)
				case "attempts":
					c.attempts = min(n, 5)
				case "rotate":
					c.rotate = true
				}
			}
		}
	}
	return c
}

// Whatever is rendered is read back as it was asked for, and nothing else.
func FuzzResolvConf(f *testing.F) {
	f.Add("10.0.0.2 10.0.1.2", "acme.private acme.public", "dev-mysql01", "acme.private", "mysql", 1, 1, true)
	f.Add("fd00:ec2::253", "", "", "", "", 30, 5, false)
	f.Add("10.0.0.2", "a.example\tb.example", "db1.eu.acme.private", "", "x\nnameserver 10.6.6.6", 2, 2, false)
	f.Add("10.0.0.2,10.0.0.3", "#x ;y", "h", "-", "\r", 0, 9, true)
	f.Fuzz(func(t *testing.T, servers, search, host, domain, role string, timeout, attempts int, rotate bool) {
		p := Profile{
			Role: role, RoleFile: "/etc/reveille/roles.d/" + role + ".yaml",
			Identity: Identity{Hostname: host, Domain: domain},
			Resolver: &Resolver{
				Nameservers: strings.Split(servers, " "), Search: strings.Split(search, " "),
				Timeout: time.Duration(timeout%100) * time.Second, Attempts: attempts, Rotate: rotate,
			},
		}
		text, err := renderResolv(p)
		if err != nil {
			return
		}
		want := glibcConf{
			search: searchList(p), servers: p.Resolver.Nameservers,
			timeout: int(p.Resolver.Timeout / time.Second), attempts: attempts, rotate: rotate,
		}
		got := readAsGlibc(string(text))
		if !slices.Equal(want.search, got.search) || !slices.Equal(want.servers, got.servers) ||
			want.timeout != got.timeout || want.attempts != got.attempts || want.rotate != got.rotate {
			t.Errorf("asked for %+v, glibc reads %+v of\n%s", want, got, text)
		}
	})
}
