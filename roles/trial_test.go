package roles

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// What we render for a client, its reader takes for the profile's servers.
func TestServersInWhatIsRendered(t *testing.T) {
	p := ldapProfile()
	p.Directory.URIs = []string{"ldaps://ldap.acme.private", "ldap://10.0.0.4:1389/"}
	want := []string{"ldaps://ldap.acme.private:636", "ldap://10.0.0.4:1389"}
	for _, has := range []facts.Has{{Nslcd: true}, {SSSD: true}, {NSSLDAP: true}} {
		steps, err := planDirectory(fleetFacts("debian", has), p)
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		for _, s := range steps {
			f, ok := s.Resource.(resource.File)
			if !ok {
				continue
			}
			got, known := logins.ServersIn(f.Path, string(f.Content))
			if seen = seen || known; known && !slices.Equal(got, want) {
				t.Errorf("%s names %q, want %q", f.Path, got, want)
			}
		}
		if !seen {
			t.Errorf("%+v: no file is known to name servers", has)
		}
	}
}

// And in the map of homes its server, with the port that it is mounted from.
func TestFileServerInWhatIsRendered(t *testing.T) {
	a := Autofs{Export: "/", Vers: "4.2", Soft: true}
	for _, tt := range []struct{ server, option, want string }{
		{"nas.acme.private", "nosuid", "nas.acme.private:2049"},
		{"fd00::9", "port=20049", "[fd00::9]:20049"},
	} {
		a.Server, a.Options = tt.server, []string{tt.option}
		got, known := logins.ServersIn(autofsMapPath, string(a.homes("# ours\n")))
		if !known || !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q, %v", tt.server, got, known)
		}
	}
}

func TestTrialNames(t *testing.T) {
	var none facts.Facts
	in := func(region, domain string) (f facts.Facts) {
		f.Instance.Region, f.Instance.Domain = facts.Known(region), facts.Absent[string]()
		if domain != "" {
			f.Instance.Domain = facts.Known(domain)
		}
		return f
	}
	own := Profile{Identity: Identity{Domain: "acme.private"}}
	tests := map[string]struct {
		f    facts.Facts
		p    Profile
		want string
	}{
		"nothing known":      {none, Profile{}, "."},
		"a domain":           {none, own, "acme.private"},
		"a region":           {in("us-east-1", ""), own, "acme.private ssm.us-east-1.amazonaws.com ec2.us-east-1.amazonaws.com"},
		"a partition's":      {in("us-iso-east-1", "c2s.ic.gov"), Profile{}, "ssm.us-iso-east-1.c2s.ic.gov ec2.us-iso-east-1.c2s.ic.gov"},
		"China, not told":    {in("cn-north-1", ""), Profile{}, "ssm.cn-north-1.amazonaws.com.cn ec2.cn-north-1.amazonaws.com.cn"},
		"the search's first": {none, Profile{Resolver: &Resolver{Search: []string{"a.b", "c.d"}}}, "a.b"},
	}
	for name, tt := range tests {
		if got := strings.Join(TrialNames(tt.f, tt.p), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestCACert(t *testing.T) {
	p, f := ldapProfile(), fleetFacts("debian", facts.Has{})
	if got := p.CACert(f); got != "/etc/ssl/certs/ca-certificates.crt" {
		t.Errorf("the system's: %s", got)
	}
	p.Directory.CACertFile = "/etc/ours.pem"
	if got := p.CACert(f); got != "/etc/ours.pem" {
		t.Errorf("the profile's: %s", got)
	}
	if got := (Profile{}).CACert(f); got == "" {
		t.Error("no directory: none")
	}
}
