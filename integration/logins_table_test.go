package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reveille/roles/logins"
)

// loginsDoc is the generated document.
func loginsDoc() string { return filepath.Join(caseDir(), "..", "docs", "logins.md") }

const loginsHead = `# How long a login takes when the servers fail

Written by ` + "`REVEILLE_LOGINS=all go test ./integration -run TestLogins -timeout 2h -update`" + `, which ` + "`make soak`" + ` runs; ` + "`make test`" + `
measures a chosen part anew, and holds what is computed here to what the program says. A systemd container with
Debian 12's own sshd, glibc, nslcd 0.9 and libpam-ldapd (sssd 2.8, nscd 2.36 where they are named); outside it, on a network of its own, BIND 9.18's
named at two addresses and slapd at two more; SERVFAIL is what named says of zones that it cannot load. Each row is one login by key over the network, from the connection to the end of a
command, with nslcd just started, but where connections are open; of a client that does not come up in 20 s beside the fault, the longer of two logins, one with it
up before. ` + "`computed`" + ` is the total that
` + "`reveille debug login-budget`" + ` says on that machine for the state of the servers that the fault is a case of:
up, one_down, all_down or hung. Ratios are told where packets are dropped and a server is waited for. The bound of all_down is for DNS and LDAP
together, and that of one_down for the first of each, so it is less tight where one of them alone fails; what is refused
at once is a case of all_down as well. sssd looks for its servers' names itself and is offline once it cannot find one,
which the bound does not count on; with nscd the bound adds the five seconds after which glibc asks past it. Servers that are slow halt again and again, for 0.7 s (DNS) and 3.5 s (LDAP), so that
a question waits for less than the limits that the bound of slow is made of.

Where packets are dropped and the bound is more than twice what was measured, it is for one of these. One of two dead: each
question of a login is given the dead one's whole time, though nslcd and sssd mostly remember which of them answered. All
dead: what follows a first failure is mostly answered at once, nslcd holding its servers for bad and sssd being offline, on which
the bound does not count. Hung, by ` + "`ldaps://`" + `: a server
may take the connection and say nothing of TLS, where nslcd stalls for 60 s a request and sssd for 32 s, at each question anew;
one whose packets are dropped on an open connection costs the search's limit alone. The packages' settings: what hangs was cut.

Users: admin is the break-glass user (local, in the groups sudo and adm), plain a local user in no group line, carol the
directory's. A directory user whom no server knows is refused. What is not in after 130 s hangs. A row
that is missing has not been measured yet.
`

// computedCells are a row's cells that are the same whenever it is written.
func (r *loginRow) computedCells() string {
	computed := r.computed.Total.String()
	if r.computed.Refused != "" {
		computed += ", refused"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", r.fault.name, r.who, r.fault.servers, computed)
}

func (r *loginRow) line() string {
	took, ratio := fmt.Sprintf("%.1fs", r.measured.Seconds()), ""
	if r.outcome != cameIn {
		took += ", " + string(r.outcome)
	}
	if r.fault.dropped && r.waits() && !r.computed.Total.Unbounded {
		ratio = fmt.Sprintf("%.1f", r.ratio())
	}
	return fmt.Sprintf("%s %s | %s |\n", r.computedCells(), took, ratio)
}

// writeLogins writes the document anew. Rows that were not measured, by -run,
// stay as they are.
func writeLogins(t *testing.T, rows []loginRow) {
	t.Helper()
	text := string(readFile(t, loginsDoc()))
	var b strings.Builder
	b.WriteString(loginsHead)
	for _, c := range loginConfigs {
		old := loginSection(text, c)
		fmt.Fprintf(&b, "\n## %s\n\nThe machine %s.\n\n| fault | user | servers | computed | measured | ratio |\n|---|---|---|---|---|---|\n", c.name, c.what)
		for _, f := range c.faults() {
			for _, u := range loginUsers {
				b.WriteString(lineOf(rows, old, c, f, u.who))
			}
		}
	}
	if err := os.WriteFile(loginsDoc(), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lineOf is a row as it was measured now, or else before.
func lineOf(rows []loginRow, old string, c loginConfig, f loginFault, who logins.Who) string {
	for _, r := range rows {
		if r.config.name == c.name && r.fault.name == f.name && r.who == who {
			return r.line()
		}
	}
	for line := range strings.Lines(old) {
		if strings.HasPrefix(line, fmt.Sprintf("| %s | %s |", f.name, who)) {
			return line
		}
	}
	return ""
}

// loginSection is what the document says of a configuration.
func loginSection(text string, c loginConfig) string {
	_, own, _ := strings.Cut(text, "\n## "+c.name+"\n")
	own, _, _ = strings.Cut(own, "\n## ")
	return own
}

// holdLogins holds the document to what is computed now, for the rows that were
// measured.
func holdLogins(t *testing.T, rows []loginRow) {
	t.Helper()
	text := string(readFile(t, loginsDoc()))
	for _, r := range rows {
		if !strings.Contains(loginSection(text, r.config), r.computedCells()) {
			t.Errorf("docs/logins.md does not have, under %s: %s", r.config.name, r.computedCells())
		}
	}
}
