package roles

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
)

func TestServersIn(t *testing.T) {
	tests := map[string]struct{ path, text, want string }{
		"resolv.conf":       {resolvPath, "# nameserver 9.9.9.9\nsearch a\nnameserver 10.0.0.2\nnameserver fd00::2\nnameserver 10.0.0.2\n", "10.0.0.2 fd00::2"},
		"empty resolv.conf": {resolvPath, "search a\n", ""},
		"nslcd":             {nslcdPath, "uri ldap://A.acme.private/ ldaps://10.0.0.9:1636\nURI ldap://a.acme.private:389\n", "ldap://a.acme.private:389 ldaps://10.0.0.9:1636"},
		"nslcd's own":       {nslcdPath, "base dc=a\n", ""},
		"nslcd by DNS":      {nslcdPath, "uri DNS\nuri ldapi:///\n", ""},
		"sssd":              {sssdPath, "[sssd]\ndomains = d\n[domain/d]\nid_provider = ldap\nldap_uri = _srv_, ldaps://b\nldap_backup_uri = ldap://c\n", "ldaps://b:636 ldap://c:389"},
		"PADL":              {"/etc/ldap.conf", "host a b\n", "ldap://a:389 ldap://b:389"},
		"PADL's own":        {"/etc/pam_ldap.conf", "base dc=a\n", ""},
		"no password":       {nslcdPath, "uri ldap://cn=a:hunter2@10.0.0.4/\n", "ldap://10.0.0.4:389"},
		"six":               {nslcdPath, "uri ldap://[fd00::4]/\n", "ldap://[fd00::4]:389"},
	}
	for name, tt := range tests {
		got, known := ServersIn(tt.path, tt.text)
		if !known || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q %v, want %q", name, got, known, tt.want)
		}
	}
	if got, known := ServersIn(nsswitchPath, "hosts: files"); known || got != nil {
		t.Errorf("nsswitch.conf names %q", got)
	}
}

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
			got, known := ServersIn(f.Path, string(f.Content))
			if seen = seen || known; known && !slices.Equal(got, want) {
				t.Errorf("%s names %q, want %q", f.Path, got, want)
			}
		}
		if !seen {
			t.Errorf("%+v: no file is known to name servers", has)
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
