package logins

import (
	"fmt"
	"strings"
	"time"

	"reveille/roles/cite"
)

// LoginWork is what a login by key costs with nothing in its way: a third of a
// second was measured on a small machine, and this leaves room for a smaller.
const LoginWork = 500 * time.Millisecond

// sshdOption is the line of an option, which `sshd -T` does not tell: the
// first counts, and the distributions' first line includes the folder.
func (m *loginMachine) sshdOption(name string) cite.Place {
	for _, l := range m.sshdLines {
		f := strings.Fields(strings.ToLower(strings.ReplaceAll(l.text, "=", " ")))
		if len(f) > 0 && f[0] == strings.ToLower(name) {
			return l.at
		}
	}
	return cite.Place{File: sshdPath}
}

// beforeLogin is what sshd waits for until it has let the user in, in OpenSSH's
// own order (auth.c, auth2-pubkey.c, uidswap.c, monitor.c). For a key login
// PAM's auth phase is not run; its account phase is. unknown says that the
// search for the user ends it.
func (m *loginMachine) beforeLogin(p person, unknown bool) []request {
	out := []request{{
		of: OfLogin, what: "keys, sshd's processes, the shell", fixed: Bound{Most: LoginWork},
		limit: "measured with no server asked",
	}}
	out = append(out, m.clientName(p)...)
	times := 1
	if m.sshd.twoLookups {
		times = 2
	}
	for range times {
		out = append(out, m.name(p, lookup{"passwd", "sshd looks the user up", 1})...)
	}
	if unknown {
		return heldBack(out)
	}
	out = append(out, m.shell(p)...)
	if !m.sshd.usePAM {
		out = append(out, m.name(p, lookup{"shadow", "sshd looks whether the account is locked", 1})...)
	}
	out = append(out, m.groupRules(p)...)
	out = append(out, m.groups(p, "sshd reads the keys with the user's groups")...)
	if m.sshd.keysInHome() {
		out = append(out, m.home(p, "sshd reads the keys in the home", homeFilesBefore)...)
	}
	out = heldBack(append(out, m.keyCommands(p)...))
	if m.sshd.usePAM {
		out = append(out, m.phase(p, m.sshd.service, "account")...)
	}
	return out
}

// heldBack marks what sshd waits for before it answers a request to be let in.
// So that nobody tells by the time it took whether a user exists, it doubles some
// milliseconds of the user's own until they are more than that, and answers only
// then (ensure_minimum_time_since in auth2.c): measured, a lookup of 8 s became
// 10.6 s. PAM's account phase comes after it.
func heldBack(rs []request) []request {
	for i := range rs {
		rs[i].heldBack = rs[i].of != OfLogin
	}
	return rs
}

// afterLogin is what comes between sshd's consent and the shell.
func (m *loginMachine) afterLogin(p person) []request {
	var out []request
	if m.sshd.usePAM {
		out = append(out, m.phase(p, m.sshd.service, "session")...)
	}
	out = append(out, m.groups(p, "sshd sets the session's groups")...)
	if !m.sshd.keysInHome() || !m.homeBlocks(p) || len(m.sshd.commands) > 0 {
		out = append(out, m.home(p, "the shell starts in the home", homeFilesAfter)...)
	}
	return out
}

// passwordAsked is what sudo, or any login by password, waits for.
func (m *loginMachine) passwordAsked(p person) []request {
	service := "sudo"
	if _, there := pamFile(m.Files, service); !there {
		service = m.sshd.service
	}
	out := m.groups(p, "sudo walks the user's groups")
	if name := strings.TrimSpace(m.Files["/etc/hostname"]); name != "" {
		wait, limit := m.nameLookup(name, p.servers)
		out = append(out, request{
			of: OfResolver, what: "sudo looks for the machine's own name, " + name, at: cite.Place{File: "/etc/hosts"},
			fixed: wait, limit: limit, remedy: "put " + name + " into /etc/hosts",
		})
	}
	for _, src := range m.nss.line("sudoers").sources {
		if c, ok := m.clients[src.name]; ok && !c.unknown(p) {
			line := m.nss.line("sudoers")
			out = append(out, request{
				of: OfDirectory, what: "sudo asks for rules: " + line.text, at: line.at, client: c, searches: 1,
				remedy: "write `sudoers: files` into " + nsswitchPath + ", and a rule for " + p.name + " into /etc/sudoers.d",
			})
		}
	}
	for _, phase := range []string{"auth", "account"} {
		out = append(out, m.phase(p, service, phase)...)
	}
	return out
}

// clientName is UseDNS.
func (m *loginMachine) clientName(p person) []request {
	if !m.sshd.useDNS {
		return nil
	}
	wait, limit := m.reverseWait(p.servers)
	return []request{{
		of: OfResolver, what: "sshd looks for the name of the client's address: UseDNS yes", at: m.sshdOption("UseDNS"),
		fixed: wait, limit: limit, remedy: "set UseDNS no in " + sshdPath,
	}}
}

// groupRules is what else has sshd walk the groups: its own rules, and Match
// lines.
func (m *loginMachine) groupRules(p person) []request {
	var out []request
	if l, ok := matchesGroup(m.sshdLines); ok {
		out = append(out, m.groups(p, fmt.Sprintf("sshd looks whether %q holds, in %s", l.text, l.at))...)
	}
	if m.sshd.groups != "" {
		out = append(out, m.groups(p, "sshd's "+m.sshd.groups)...)
	}
	return out
}

// keyCommandRuns is how often sshd runs a command for one key: when the client
// offers the key, and when it proves to hold it.
const keyCommandRuns = 2

// keyCommands is AuthorizedKeysCommand and its like. Nothing of sshd's bounds
// them. EC2 Instance Connect's bounds its questions to IMDS by 5 s itself, and
// then asks sssd where that is installed.
func (m *loginMachine) keyCommands(p person) []request {
	var out []request
	for _, c := range m.sshd.commands {
		what := fmt.Sprintf("sshd runs %s, %s", c.option, strings.Fields(c.run)[0])
		runner := person{passwdEntry{name: c.user}, p.who, true, p.servers}
		for range keyCommandRuns {
			if c.user != "" && c.user != p.name {
				out = append(out, m.groups(runner, what+", with the groups of "+c.user)...)
			}
			connect := strings.Contains(c.run, "eic_run_authorized_keys")
			sss := connect || strings.Contains(c.run, "sss_ssh_authorizedkeys")
			switch {
			case connect && p.servers != AllUp:
				out = append(out, request{
					of: OfCommand, what: what + ": it asks the metadata service", at: m.sshdOption(c.option), fixed: secs(5),
					limit: "its own timeout 5s", remedy: "take it out where EC2 Instance Connect is not used",
				})
			case !sss:
				out = append(out, m.boundless(p, m.sshdOption(c.option), what))
			}
			if client, ok := m.clients["sss"]; ok && sss && !client.unknown(p) {
				out = append(out, request{
					of: OfDirectory, what: what + ": it asks sssd", at: m.sshdOption(c.option),
					client: client, searches: 1, remedy: client.remedy(),
				})
			}
		}
	}
	return out
}
