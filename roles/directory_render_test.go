package roles

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// renderCase is a machine and a profile whose files are kept whole, as they
// would lie on it, in testdata/render/NAME.
type renderCase struct {
	name string
	os   string
	has  facts.Has
	edit func(*facts.Facts, *Profile)
}

func renderCases() []renderCase {
	secret := func(p *Profile) {
		p.Directory.BindDN, p.Directory.PasswordFile = "cn=reader,dc=acme,dc=private", "/etc/reveille/ldap.password"
	}
	twoServers := func(p *Profile) {
		p.Directory.URIs = []string{"ldaps://ldap-b.acme.private", "ldaps://ldap-a.acme.private:6636"}
	}
	return []renderCase{
		{"debian-nslcd", "debian", facts.Has{Nslcd: true, LDAPConf: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory.AccessHosts = true
			twoServers(p)
			secret(p)
		}},
		{"debian-nothing-installed", "debian", facts.Has{}, func(_ *facts.Facts, p *Profile) {
			p.RoleFile = ""
			p.Directory.URIs = []string{"ldap://10.0.0.5"}
		}},
		{"rhel-sssd", "rhel", facts.Has{SSSD: true, LDAPConf: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory.AccessHosts = true
			p.Directory.CACertFile = "/etc/reveille/acme-ca.pem"
			p.Directory.BindTimeLimit, p.Directory.TimeLimit = time.Second, 2*time.Second
			twoServers(p)
			secret(p)
		}},
		{"debian-sssd-everybody", "debian", facts.Has{SSSD: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory.URIs = []string{"ldap://10.0.0.5"}
			p.Directory.BreakGlass = "root"
		}},
		{"rhel-nslcd", "amzn", facts.Has{Nslcd: true, LDAPConf: true}, func(*facts.Facts, *Profile) {}},
		{"ubuntu-nss-ldap", "ubuntu", facts.Has{NSSLDAP: true, LDAPConf: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory.AccessHosts = true
			twoServers(p)
			secret(p)
		}},
		{"debian-nss-ldap-plain", "debian", facts.Has{NSSLDAP: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory.URIs = []string{"ldap://10.0.0.5", "ldaps://ldap.acme.private"}
		}},
		{"debian-gmond", "debian", facts.Has{Gmond: true}, func(_ *facts.Facts, p *Profile) {
			p.Directory = nil
			p.Ganglia = &Ganglia{"mysql", 8631, []string{"10.0.0.4", "10.0.1.4"}}
		}},
		{"rhel-gmond-ipv6", "rhel", facts.Has{Gmond: true}, func(f *facts.Facts, p *Profile) {
			f.Instance.PrivateIP = facts.Absent[string]()
			p.Directory = nil
			p.Ganglia = &Ganglia{"mysql", 8631, []string{"fd00::4"}}
		}},
	}
}

func TestRenderedFiles(t *testing.T) {
	for _, c := range renderCases() {
		t.Run(c.name, func(t *testing.T) {
			f, p := fleetFacts(c.os, c.has), ldapProfile()
			c.edit(&f, &p)
			files := map[string][]byte{}
			for _, concern := range []func(facts.Facts, Profile) (plan.Plan, error){planDirectory, planGanglia} {
				steps, err := concern(f, p)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range steps {
					if file, ok := s.Resource.(resource.File); ok {
						files[file.Path] = file.Content
					}
				}
			}
			holdFiles(t, "testdata/render/"+c.name, files)
		})
	}
}

func TestRenderedCollector(t *testing.T) {
	list, err := GangliaCollector(facts.OS{ID: "debian"}, []Profile{
		gangliaProfile("mysql", 8631, "10.0.0.4", "10.0.1.4"),
		gangliaProfile("dev", 8630, "10.0.0.4", "fd00::4"),
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range list {
		files[f.Path] = f.Content
	}
	holdFiles(t, "testdata/render/collector", files)
}

// holdFiles holds a folder to these files, no more and no fewer; with -update
// it writes them.
func holdFiles(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	if *update {
		if err := writeFolder(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	for path, got := range files {
		want, err := os.ReadFile(dir + path)
		if err != nil {
			t.Errorf("%v (write it with -update)", err)
			continue
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s", diff.Diff(dir+path, want, "now", got))
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && files[path[len(dir):]] == nil {
			err = fmt.Errorf("%s is no longer rendered", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func writeFolder(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(dir+path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(dir+path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
