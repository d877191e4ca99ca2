package resource

import (
	"strings"
	"testing"

	"reveille/bootstrap/host/hosttest"
)

const (
	sessionFile  = "/etc/pam.d/common-session"
	sessionGuard = "session\t[success=1 default=ignore]\tpam_localuser.so\n"
	bothSessions = "session\trequired\tpam_unix.so\nsession\toptional\t\t\tpam_sss.so \nsession\t[success=ok default=ignore]\tpam_ldap.so minimum_uid=1000\nsession\toptional\tpam_systemd.so\n"
	// sssAccount is the account phase of sssd's package, which leaves local users
	// out by itself.
	sssAccount = "account\tsufficient\t\t\tpam_localuser.so \naccount\t[default=bad success=ok user_unknown=ignore]\tpam_sss.so\n"
)

func profileFor(pkg string) PAMProfile {
	return PAMProfile{File{Path: OurPAMProfile(pkg), Content: []byte("Name: x\n"), Concern: "pam"}, pkg}
}

// Each profile guards its own module, and takes its own guard back, whichever
// came first.
func TestPAMProfilesDoNotMeddle(t *testing.T) {
	for _, order := range [][2]string{{"ldap", "sss"}, {"sss", "ldap"}} {
		files := map[string]string{accountFile: debianAccount + sssAccount, sessionFile: bothSessions}
		first, second := profileFor(order[0]), profileFor(order[1])
		first.AfterPAM(files)
		if text := files[sessionFile]; !strings.Contains(text, sessionGuard) || strings.Count(text, sessionGuard) != 1 {
			t.Errorf("%s alone:\n%s", order[0], text)
		}
		second.AfterPAM(files)
		for _, module := range []string{"pam_sss.so", "pam_ldap.so"} {
			if open := unguarded(files[sessionFile], "session", module); len(open) > 0 {
				t.Errorf("%s is asked for local users in lines %v:\n%s", module, open, files[sessionFile])
			}
		}
		if files[accountFile] != debianAccount+sssAccount {
			t.Errorf("an account phase that leaves local users alone was changed:\n%s", files[accountFile])
		}
		if !BeforePAM(files, first.Profile.Path) {
			t.Errorf("%s is taken for no profile", first.Profile.Path)
		}
		if open := unguarded(files[sessionFile], "session", pamModule(order[1])); len(open) > 0 {
			t.Errorf("%s went, and took the guard of %s along:\n%s", order[0], order[1], files[sessionFile])
		}
		if open := unguarded(files[sessionFile], "session", pamModule(order[0])); len(open) != 1 {
			t.Errorf("%s went, and its guard did not:\n%s", order[0], files[sessionFile])
		}
		BeforePAM(files, second.Profile.Path)
		if files[sessionFile] != bothSessions {
			t.Errorf("not as it was:\n%s", files[sessionFile])
		}
	}
	files := map[string]string{sessionFile: sessionGuard + bothSessions}
	if BeforePAM(files, PAMProfiles+"sss") || files[sessionFile] != sessionGuard+bothSessions {
		t.Error("a profile of the package's is taken for ours")
	}
}

// What is said and looked at is the module of the profile, not the other's.
func TestPAMNamesItsModule(t *testing.T) {
	m := hosttest.New(t, map[string]string{accountFile: debianAccount + sssAccount, sessionFile: bothSessions})
	for module, p := range map[string]PAMProfile{"pam_sss": profileFor("sss"), "pam_ldap": profileFor("ldap")} {
		if changes := check(t, m.Host(), p); len(changes) != 1 {
			t.Errorf("%s: %v", module, changes)
		}
		if !strings.Contains(p.Describe(), module+" by") {
			t.Errorf("%s: %s", module, p.Describe())
		}
	}
	m.Put(sessionFile, strings.Replace(bothSessions, "session\toptional\t\t\tpam_sss.so", sessionGuard+"session\toptional\t\t\tpam_sss.so", 1), 0o644)
	if changes := check(t, m.Host(), profileFor("sss")); len(changes) != 0 {
		t.Errorf("guarded by whoever it was, and yet: %v", changes)
	}
	if changes := check(t, m.Host(), profileFor("ldap")); len(changes) != 1 {
		t.Errorf("the other one's guard counts for it: %v", changes)
	}
}
