package roles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
)

func usersProfile(client string) Profile {
	return Profile{Directory: &Directory{
		Client: client, URIs: []string{"ldaps://ldap.acme.private"}, Base: "dc=acme,dc=private",
		BindTimeLimit: 2 * time.Second, TimeLimit: 5 * time.Second, BreakGlass: "admin",
	}}
}

func TestNameservice(t *testing.T) {
	for name, c := range map[string]struct {
		client, os string
		has        facts.Has
		source     string
		needs      []string
	}{
		"nslcd where none is":    {"auto", "debian", facts.Has{}, "ldap", []string{"file:/etc/nslcd.conf"}},
		"what is installed":      {"auto", "debian", facts.Has{SSSD: true}, "sss", []string{"file:/etc/sssd/sssd.conf"}},
		"the first of several":   {"auto", "debian", facts.Has{Nslcd: true, SSSD: true}, "sss", []string{"file:/etc/sssd/sssd.conf"}},
		"what is asked for":      {"nslcd", "debian", facts.Has{SSSD: true}, "ldap", []string{"file:/etc/nslcd.conf"}},
		"nss_ldap on Debian":     {"nss_ldap", "debian", facts.Has{}, "ldap", []string{"file:/etc/libnss-ldap.conf", "file:/etc/pam_ldap.conf"}},
		"nss_ldap on Ubuntu":     {"nss_ldap", "ubuntu", facts.Has{}, "ldap", []string{"file:/etc/ldap.conf"}},
		"nss_ldap, as installed": {"auto", "centos", facts.Has{NSSLDAP: true}, "ldap", []string{"file:/etc/ldap.conf"}},
	} {
		t.Run(name, func(t *testing.T) {
			var f facts.Facts
			f.Machine.OS.ID, f.Machine.Has = c.os, c.has
			steps, err := planNameservice(f, usersProfile(c.client))
			if err != nil || len(steps) != 1 {
				t.Fatalf("%d steps, error %v", len(steps), err)
			}
			s := steps[0]
			if diff := cmp.Diff(c.needs, s.Needs); diff != "" {
				t.Errorf("needs (-want +got):\n%s", diff)
			}
			want := resource.NSSwitch{Source: c.source, Databases: []string{"passwd", "shadow", "group"}, Initgroups: true}
			if c.source == "sss" {
				want.Databases = []string{"passwd", "group"}
			}
			if diff := cmp.Diff(want, s.Resource.(resource.File).Edit); diff != "" {
				t.Errorf("edit (-want +got):\n%s", diff)
			}
			if !s.Required || s.ID() != "file:/etc/nsswitch.conf" {
				t.Errorf("%s, required %v", s.ID(), s.Required)
			}
		})
	}
}

// Each file that the name service waits for is one that the directory asks
// for, whatever the client: else a plan would contradict itself.
func TestNameserviceNeedsWhatTheDirectoryAsksFor(t *testing.T) {
	for _, os := range []string{"debian", "ubuntu", "rocky"} {
		for _, client := range []string{"auto", "nslcd", "sssd", "nss_ldap"} {
			for bits := range 1 << 3 {
				f := namingFacts(nil)
				f.Machine.OS.ID = os
				f.Machine.Has = facts.Has{Nslcd: bits&1 != 0, SSSD: bits&2 != 0, NSSLDAP: bits&4 != 0, Nscd: true}
				if _, err := Plan(f, usersProfile(client)); err != nil {
					t.Errorf("%s, client %s, %+v: %v", os, client, f.Machine.Has, err)
				}
			}
		}
	}
}

func TestNoDirectoryLeavesTheNameServiceAlone(t *testing.T) {
	var f facts.Facts
	f.Machine.Has = facts.Has{Nslcd: true, Nscd: true}
	if steps, err := planNameservice(f, Profile{}); err != nil || len(steps) != 0 {
		t.Errorf("steps %v, error %v", steps.IDs(), err)
	}
}

func TestAuthselectIsToldOf(t *testing.T) {
	var f facts.Facts
	f.Machine.OS.ID = "rocky"
	f.Machine.Authselect = true
	steps, err := planNameservice(f, usersProfile("sssd"))
	if err != nil {
		t.Fatal(err)
	}
	if why := steps[0].Why; !strings.Contains(why, "authselect opt-out") {
		t.Errorf("why %q does not say what authselect will make of it", why)
	}
}

func TestNscdForgetsTheOldSources(t *testing.T) {
	var f facts.Facts
	f.Machine.Has.Nscd = true
	steps, err := planNameservice(f, usersProfile("auto"))
	if err != nil || len(steps) != 2 {
		t.Fatalf("%d steps, error %v", len(steps), err)
	}
	u := steps[1].Resource.(resource.Unit)
	if u.Name != "nscd.service" || u.Start || steps[1].Required || len(u.Reads) != 1 || u.Reads[0].Path != nsswitchPath {
		t.Errorf("%+v, required %v: want a restart of a running nscd when nsswitch.conf changes", u, steps[1].Required)
	}
}
