package roles

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// A machine of ORIGIN's fleet, and a directory section for it.
func fleetFacts(os string, has facts.Has) facts.Facts {
	f := facts.Facts{Source: facts.FromIMDS}
	f.Machine.OS = facts.OS{ID: os}
	f.Machine.Has = has
	f.Instance.Region = facts.Known("us-east-1")
	f.Instance.Zone = facts.Known("us-east-1b")
	f.Instance.PrivateIP = facts.Known("10.0.0.17")
	f.Instance.Type = facts.Known("m5.large")
	return f
}

func ldapProfile() Profile {
	return Profile{
		Role: "mysql", RoleFile: "/etc/reveille/roles.d/mysql.yaml",
		Identity: Identity{Hostname: "dev-mysql01", Domain: "acme.private"},
		Directory: &Directory{
			Client: "auto", URIs: []string{"ldaps://ldap.acme.private"}, Base: "dc=acme,dc=private",
			BindTimeLimit: 2 * time.Second, TimeLimit: 5 * time.Second, BreakGlass: "ubuntu",
		},
	}
}

// wants is the steps by ID: "required" or "wanted", and the files' modes.
func wants(t *testing.T, steps plan.Plan) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, s := range steps {
		word := "wanted"
		if s.Required {
			word = "required"
		}
		switch r := s.Resource.(type) {
		case resource.File:
			group := r.Group
			if group == "" {
				group = "root"
			}
			word += " " + r.Mode.String() + " " + group
		case resource.Unit:
			if r.Start {
				word += " started"
			}
		}
		if s.Concern == "" || s.Why == "" {
			t.Errorf("%s has no concern or no reason", s.ID())
		}
		got[s.ID()] = word
	}
	return got
}

func TestDirectoryClients(t *testing.T) {
	const file, secret, open = "required -rw-r----- nslcd", "required -rw------- root", "required -rw-r--r-- root"
	tests := map[string]struct {
		os     string
		has    facts.Has
		client string
		bind   bool
		want   map[string]string
	}{
		"nothing installed": {os: "debian", client: "auto", want: map[string]string{
			"file:/etc/nslcd.conf": "required -rw-r----- root"}},
		"nslcd on Debian": {os: "debian", has: facts.Has{Nslcd: true, LDAPConf: true}, client: "auto", want: map[string]string{
			"file:/etc/nslcd.conf": file, "unit:nslcd.service": "wanted started", "file:/etc/ldap/ldap.conf": open}},
		"nslcd on RHEL": {os: "rhel", has: facts.Has{Nslcd: true, LDAPConf: true}, client: "auto", want: map[string]string{
			"file:/etc/nslcd.conf": "required -rw-r----- ldap", "unit:nslcd.service": "wanted started", "file:/etc/openldap/ldap.conf": open}},
		"both daemons": {os: "rhel", has: facts.Has{Nslcd: true, SSSD: true}, client: "auto", want: map[string]string{
			"file:/etc/sssd/sssd.conf": secret, "unit:sssd.service": "wanted started",
			"file:/etc/nslcd.conf": "required -rw-r----- ldap", "unit:nslcd.service": "wanted"}},
		"asked for one of two": {os: "debian", has: facts.Has{Nslcd: true, SSSD: true}, client: "nslcd", want: map[string]string{
			"file:/etc/nslcd.conf": file, "unit:nslcd.service": "wanted started"}},
		"asked for, not installed": {os: "debian", has: facts.Has{Nslcd: true}, client: "sssd", want: map[string]string{
			"file:/etc/sssd/sssd.conf": secret}},
		"PADL on Ubuntu, anonymous": {os: "ubuntu", has: facts.Has{NSSLDAP: true}, client: "auto", want: map[string]string{
			"file:/etc/ldap.conf": open}},
		"PADL on Debian, with a password": {os: "debian", has: facts.Has{NSSLDAP: true}, client: "nss_ldap", bind: true, want: map[string]string{
			"file:/etc/libnss-ldap.conf": open, "file:/etc/libnss-ldap.secret": secret,
			"file:/etc/pam_ldap.conf": open, "file:/etc/pam_ldap.secret": secret}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := ldapProfile()
			p.Directory.Client = tt.client
			if tt.bind {
				p.Directory.BindDN, p.Directory.PasswordFile = "cn=reader,dc=acme,dc=private", "/etc/reveille/ldap.password"
			}
			steps, err := planDirectory(fleetFacts(tt.os, tt.has), p)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, wants(t, steps)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNoDirectoryNoSteps(t *testing.T) {
	steps, err := planDirectory(fleetFacts("debian", facts.Has{Nslcd: true, LDAPConf: true}), Profile{})
	if len(steps) != 0 || err != nil {
		t.Errorf("%v, %v", steps, err)
	}
}

// A daemon is restarted when any of its files changes, and never before they
// are so.
func TestDirectoryUnitFollowsItsFiles(t *testing.T) {
	steps, err := planDirectory(fleetFacts("debian", facts.Has{Nslcd: true, SSSD: true}), ldapProfile())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		unit, ok := s.Resource.(resource.Unit)
		if !ok {
			continue
		}
		if len(unit.Reads) != 1 || !slices.Equal(s.Needs, []string{unit.Reads[0].ID()}) {
			t.Errorf("%s reads %v and needs %v", s.ID(), unit.Reads, s.Needs)
		}
	}
}

// A place that could not be read must neither shut people out nor open a door:
// the file waits, and the daemon is not touched.
func TestUnknownPlaceLeavesTheFilesAlone(t *testing.T) {
	f := fleetFacts("debian", facts.Has{Nslcd: true})
	f.Instance.Zone = facts.Unknown[string](facts.TimedOut, "")
	p := ldapProfile()

	steps, err := planDirectory(f, p)
	if err != nil || len(steps) != 2 {
		t.Fatalf("without an access rule the zone is not needed: %v, %v", wants(t, steps), err)
	}
	p.Directory.AccessHosts = true
	if steps, err = planDirectory(f, p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"file:/etc/nslcd.conf": "required"}, wants(t, steps)); d != "" {
		t.Fatal(d)
	}
	changes, err := steps[0].Check(context.Background(), nil)
	var wait *plan.NotYet
	if !errors.As(err, &wait) || !wait.Facts || len(changes) != 0 || !strings.Contains(wait.For, "zone (timed-out)") {
		t.Errorf("changes %v, error %v", changes, err)
	}

	f.Instance.Zone = facts.Absent[string]()
	if steps, err = planDirectory(f, p); err != nil {
		t.Fatal(err)
	}
	text := string(steps[0].Resource.(resource.File).Content)
	if !strings.Contains(text, `(host=\\2a.us-east-1)`) || strings.Contains(text, "us-east-1b") {
		t.Errorf("a machine in no zone is let in by its region:\n%s", text)
	}
}

// The password is a placeholder in everything that a plan holds, and a file
// that will hold it is closed to others.
func TestBindPasswordStaysOutOfThePlan(t *testing.T) {
	p := ldapProfile()
	p.Directory.BindDN, p.Directory.PasswordFile = "cn=reader,dc=acme,dc=private", "/etc/reveille/ldap.password"
	for _, client := range []string{"nslcd", "sssd", "nss_ldap"} {
		p.Directory.Client = client
		steps, err := planDirectory(fleetFacts("debian", facts.Has{}), p)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range steps {
			file := s.Resource.(resource.File)
			has := bytes.Contains(file.Content, []byte(bindPassword))
			found = found || has
			if has != (file.Secrets[bindPassword] == "/etc/reveille/ldap.password") {
				t.Errorf("%s: placeholder in the text: %v, secrets: %v", file.Path, has, file.Secrets)
			}
			if has && file.Mode&fs.FileMode(0o007) != 0 {
				t.Errorf("%s would show the password: mode %v", file.Path, file.Mode)
			}
		}
		if !found {
			t.Errorf("%s: no file takes the password", client)
		}
	}
}

func TestDirectoryRefusesWhatBreaksALine(t *testing.T) {
	tests := map[string]struct {
		spoil func(*Directory)
		want  string
	}{
		"no server":       {func(d *Directory) { d.URIs = nil }, "directory.uris"},
		"server with tab": {func(d *Directory) { d.URIs = []string{"ldap://a\tldap://b"} }, "directory.uris"},
		"base":            {func(d *Directory) { d.Base = "dc=acme\nuri ldap://evil" }, "directory.base"},
		"user":            {func(d *Directory) { d.BreakGlass = "ubuntu,eve" }, "directory.break_glass"},
		"bind":            {func(d *Directory) { d.BindDN = "cn=a\r" }, "directory.bind_dn"},
		"authority":       {func(d *Directory) { d.CACertFile = "/etc/my ca.pem" }, "directory.ca_cert_file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := ldapProfile()
			tt.spoil(p.Directory)
			steps, err := planDirectory(fleetFacts("debian", facts.Has{}), p)
			if err == nil || !strings.Contains(err.Error(), tt.want) || steps != nil {
				t.Errorf("steps %v, error %v; want one that names %s", steps, err, tt.want)
			}
		})
	}
}

// sssd's manual asks for this order, whatever a profile says.
func TestSSSDLimitsKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bind := limitSeconds(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "bind")))
		limit := limitSeconds(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "limit")))
		l := newSSSDLimits(bind, limit)
		if !(l.answer > l.resolve && l.resolve > l.query && l.query*1000 > l.server && l.server > 0) {
			t.Fatalf("%+v", l)
		}
		if l.network != bind || l.search != limit {
			t.Fatalf("bind %d, limit %d became %+v", bind, limit, l)
		}
	})
}

func TestLimitsAreNeverForEver(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, 5 * time.Second: 5} {
		if got := limitSeconds(d); got != want {
			t.Errorf("%v: %d s, want %d", d, got, want)
		}
	}
}
