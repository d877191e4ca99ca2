package roles

import (
	"fmt"
	"strings"
	"testing"

	"reveille/roles/logins"
)

// A role file whose own limits would hold up logins is refused offline, at the
// key that is to blame.
func TestValidateLoginBudget(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("ldaps://ldap%d.acme", i)
	}
	file := func(extra, uris, more string) string {
		return "role: a\ndirectory:\n  base: dc=acme\n  break_glass: ubuntu\n" + extra + "  uris: [" + uris + "]\n" + more
	}
	const one = "ldap://ldap.acme"
	for name, c := range map[string]struct {
		text string
		want string // "": it may be so
	}{
		"the defaults":       {file("", one, ""), ""},
		"TLS that stalls":    {file("  timelimit: 60s\n", "ldaps://ldap.acme", ""), ""}, // as with any other limit
		"five servers":       {file("", strings.Join(many[:5], ", "), ""), ""},
		"a long search":      {file("  timelimit: 60s\n", one, ""), "a.yaml:5:3: directory.timelimit would hold up logins: on a Debian with this role's files, the login of a-directory-user (directory), servers hung: before authentication takes up to 120.5s, and may take 2m0s; set it lower"},
		"as in 2011":         {file("  bind_timelimit: 5s\n  timelimit: 15s\n", one, ""), ""},
		"twice as long":      {file("  bind_timelimit: 10s\n  timelimit: 30s\n", one, ""), ""}, // PAM leaves local users alone
		"a long connect":     {file("  timelimit: 6s\n  bind_timelimit: 60s\n", one, ""), "a.yaml:6:3: directory.bind_timelimit would"},
		"PAM that asks":      {file("  client: nss_ldap\n  bind_timelimit: 10s\n  timelimit: 30s\n", one, ""), "a.yaml:7:3: directory.timelimit would hold up logins: on a Debian with this role's files, the login of local (local)"},
		"too many servers":   {file("", strings.Join(many, ", "), ""), "a.yaml:5:3: directory.uris would"},
		"sssd":               {file("  client: sssd\n  timelimit: 30s\n", one, ""), "a.yaml:6:3: directory.timelimit would hold up logins: on a Debian with this role's files, the login of local (local), servers slow: before authentication takes up to 248.5s"},
		"PADL's":             {file("  client: nss_ldap\n  timelimit: 30s\n", one, ""), "a.yaml:6:3: directory.timelimit would"},
		"a slow resolver":    {file("  timelimit: 6s\n", strings.Join(many[:4], ", "), "resolver: {nameservers: [10.0.0.2, 10.0.1.2], timeout: 30s}\n"), "a.yaml:7:47: resolver.timeout would"},
		"not the resolver":   {file("  timelimit: 60s\n", one, "resolver: {nameservers: [10.0.0.2], timeout: 2s}\n"), "a.yaml:5:3: directory.timelimit would"},
		"of another region":  {"role: a\ndirectory:\n  base: dc=acme\n  break_glass: ubuntu\n  timelimit: 60s\n  uris: {eu-west-1: [" + one + "]}\n", ""},
		"by region and zone": {"role: a\ndirectory:\n  base: dc=acme\n  break_glass: ubuntu\n  uris: {us-east-1: [" + strings.Join(many, ", ") + "]}\n", "a.yaml:5:10: directory.uris would"},
		"a tight budget":     {file("  client: nss_ldap\n", one, "login_budget: 2s\n"), "a.yaml:7:1: login_budget is too short: on a Debian with this role's files, "},
		"a wide budget":      {file("  timelimit: 15s\n", one, "login_budget: 120s\n"), ""},
		"no directory":       {"role: a\nresolver: {nameservers: [10.0.0.2], timeout: 30s}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if bad := validated(role("a", c.text)); bad != "" {
				t.Fatal(bad)
			}
			found := ValidateLogins([]Source{role("a", c.text)})
			got := Errors(found).Error()
			if c.want == "" && got != "" {
				t.Errorf("refused: %s", got)
			}
			contains(t, got, c.want)
			if strings.Count(got, "\n") > 0 {
				t.Errorf("more than one: %s", got)
			}
		})
	}
}

// What is wrong anyway is Validate's to tell; a limit of the local file is told
// at its place there, once.
func TestValidateLoginsOfSeveralFiles(t *testing.T) {
	good := "\ndirectory: {base: dc=acme, break_glass: ubuntu, uris: [ldap://ldap.acme]"
	found := ValidateLogins([]Source{
		role("a", "role: a"+good+"}"), role("b", "role: b"+good+", bind_timelimit: 60s, timelimit: 5x}"), role("c", "role: c"+good+"}"),
		local("directory: {timelimit: 60s}"),
	})
	if len(found) != 1 || !strings.HasPrefix(found[0].Error(), "local.yaml:1:13: directory.timelimit") {
		t.Errorf("found %v", Errors(found))
	}
}

// The sample's PAM asks each client, and the sample itself gives no notes.
func TestSampleLoginAsksTheClient(t *testing.T) {
	for client, module := range map[string]string{"nslcd": "pam_ldap", "sssd": "pam_sss", "nss_ldap": "pam_ldap"} {
		l, ok := sampleLogin(usersProfile(client))
		b := logins.BudgetOf(l)
		if waits := waitsOf(b.Case(logins.DirectoryUser, logins.AllSlow)); !ok || !strings.Contains(waits, module+"'s account phase") {
			t.Errorf("%s: %s", client, waits)
		}
		if len(b.Notes) != 0 {
			t.Errorf("%s: notes %q", client, b.Notes)
		}
	}
}

// waitsOf is what is waited for until authentication.
func waitsOf(c logins.Case) string {
	var all []string
	for _, t := range c.Terms {
		if t.When == logins.BeforeLogin {
			all = append(all, t.What)
		}
	}
	return strings.Join(all, "\n")
}
