package roles

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
)

// Whose modules are kept off local users: those of the clients that are wanted,
// as far as they are there.
func TestWhoseModulesArePassedBy(t *testing.T) {
	ldap := []string{"file:/usr/share/pam-configs/reveille-ldap", "pam:reveille-ldap"}
	sss := []string{"file:/usr/share/pam-configs/reveille-sss", "pam:reveille-sss"}
	all := facts.Has{Nslcd: true, SSSD: true, PAMLDAP: true, PAMSSS: true}
	for name, tt := range map[string]struct {
		client, os string
		has        facts.Has
		want       []string
	}{
		"nslcd":                           {"nslcd", "debian", all, ldap},
		"sssd":                            {"sssd", "debian", all, sss},
		"whatever is there":               {"auto", "debian", all, slices.Concat(ldap, sss)},
		"sssd, without its module":        {"sssd", "debian", facts.Has{SSSD: true, PAMLDAP: true}, nil},
		"PADL's":                          {"nss_ldap", "debian", all, nil},
		"a family that has no profiles":   {"sssd", "rhel", all, nil},
		"whatever is there, sssd's alone": {"auto", "ubuntu", facts.Has{SSSD: true, PAMSSS: true}, sss},
	} {
		f := facts.Facts{Machine: facts.Machine{OS: facts.OS{ID: tt.os}, Has: tt.has}}
		steps, err := planPAM(f, usersProfile(tt.client))
		if err != nil {
			t.Fatal(err)
		}
		if got := steps.IDs(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		for _, s := range steps {
			if s.Required {
				t.Errorf("%s: %s is required", name, s.ID())
			}
		}
	}
}

// A profile of ours is known by its path for what it stands for, and asks for
// passwords as the package's: a local user's may be the directory's.
func TestProfilesOfPAM(t *testing.T) {
	for _, pkg := range pamPackages(facts.Has{}) {
		if !strings.Contains(pkg.profile, "\nConflicts: "+pkg.instead+"\n") || !strings.Contains(pkg.profile, "pam_"+pkg.instead+".so") {
			t.Errorf("%s: stands in no package's place:\n%s", pkg.instead, pkg.profile)
		}
		phase, guarded := "", map[string]bool{}
		for line := range strings.Lines(pkg.profile) {
			if head, _, is := strings.Cut(line, ":"); is && !strings.HasPrefix(line, "\t") {
				phase = head
			}
			guarded[phase] = guarded[phase] || strings.Contains(line, "pam_localuser.so")
		}
		for _, phase := range []string{"Auth", "Auth-Initial", "Password", "Password-Initial"} {
			if guarded[phase] {
				t.Errorf("%s: local users are kept off passwords in %s", pkg.instead, phase)
			}
		}
		if !guarded["Account"] || !guarded["Session"] {
			t.Errorf("%s: local users are kept off %v alone", pkg.instead, guarded)
		}
		files := map[string]string{}
		if !resource.BeforePAM(files, resource.OurPAMProfile(pkg.instead)) {
			t.Errorf("%s: not known by its path", pkg.instead)
		}
	}
}
