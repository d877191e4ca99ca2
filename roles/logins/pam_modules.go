package logins

import (
	"fmt"
	"strconv"
	"strings"
)

// phase is the requests of one phase of a service's stack.
func (m *loginMachine) phase(p person, service, phase string) []request {
	lines := m.stack(service, phase)
	s := pamStack{func(l pamLine) ([]string, []request) { return m.module(p, l, phase) }}
	out, _ := s.longest(lines)
	return out
}

// stack reads a service's stack, once for all people.
func (m *loginMachine) stack(service, phase string) []pamLine {
	key := service + " " + phase
	if _, known := m.stacks[key]; !known {
		lines, notes := parsePAM(m.Files, service, phase)
		m.stacks[key] = lines
		for _, n := range notes {
			m.uncount[n] = true
		}
	}
	return m.stacks[key]
}

// Modules that ask nobody. The rest of what Debian and RHEL ship stands in
// module below; what stands in neither is noted as not counted.
var quietModules = map[string]bool{
	"pam_permit": true, "pam_env": true, "pam_limits": true, "pam_umask": true, "pam_keyinit": true,
	"pam_loginuid": true, "pam_selinux": true, "pam_lastlog": true, "pam_lastlog2": true, "pam_mail": true,
	"pam_faillock": true, "pam_faildelay": true, "pam_tally2": true, "pam_pwquality": true, "pam_cap": true,
	"pam_mkhomedir": true, "pam_oddjob_mkhomedir": true, "pam_namespace": true, "pam_tty_audit": true,
	"pam_nologin": true, "pam_shells": true, "pam_motd": true, "pam_warn": true, "pam_debug": true,
	"pam_unix": true, "pam_systemd": true, "pam_systemd_home": true, "pam_time": true, "pam_issue": true,
	"pam_gnome_keyring": true, "pam_reauthorize": true, "pam_echo": true, "pam_setquota": true,
}

// module is the results that a module may have for this person, and what it
// waits for. Of a directory user who is known here, each module that looks him
// up asks once more, since nothing is kept between programs and modules.
func (m *loginMachine) module(p person, l pamLine, phase string) ([]string, []request) {
	success := []string{"success"}
	switch l.module {
	case "pam_deny":
		return []string{"auth_err"}, nil
	case "pam_rootok":
		return yesNoResult(p.uid == 0), nil
	case "pam_localuser":
		return yesNoResult(p.local), nil
	case "pam_usertype":
		return yesNoResult(p.uid < 1000 == l.has("issystem")), m.again(p, l)
	case "pam_succeed_if":
		return m.succeedIf(p, l)
	case "pam_ldap":
		return m.askLDAP(p, l, phase)
	case "pam_sss":
		return m.askSSS(p, l, phase)
	case "pam_unix":
		return m.askUnix(p, l, phase)
	case "pam_systemd":
		return success, m.userManager(p, l, phase)
	case "pam_access", "pam_wheel", "pam_group":
		return []string{"success", "perm_denied"}, m.moduleGroups(p, l)
	case "pam_exec", "pam_script":
		return success, []request{m.boundless(p, l.at, l.module+" runs a program: "+l.text)}
	case "pam_motd":
		return success, m.motd(p, l, phase)
	}
	if !quietModules[l.module] {
		m.uncounted("%s: the module %s is not known here, and what it takes is not counted", l.at, l.module)
		return []string{"success", "ignore", "auth_err"}, nil
	}
	return success, m.again(p, l)
}

func yesNoResult(yes bool) []string {
	if yes {
		return []string{"success"}
	}
	return []string{"perm_denied"}
}

// again is a module that looks the user up by his name.
func (m *loginMachine) again(p person, l pamLine) []request {
	if p.local {
		return nil
	}
	return m.name(p, lookup{"passwd", l.module + " looks the user up", 1})
}

// succeedIf reads the conditions on the uid, which keep local users off other
// modules; any other may go either way.
func (m *loginMachine) succeedIf(p person, l pamLine) ([]string, []request) {
	asked := m.again(p, l)
	for i, word := range l.args {
		if word == "ingroup" || word == "notingroup" {
			return []string{"success", "auth_err"}, m.moduleGroups(p, l)
		}
		if word != "uid" || i+2 >= len(l.args) {
			continue
		}
		n := decimal(l.args[i+2])
		holds, known := map[string]bool{
			"<": p.uid < n, "<=": p.uid <= n, ">": p.uid > n, ">=": p.uid >= n, "eq": p.uid == n, "ne": p.uid != n,
		}[strings.NewReplacer("lt", "<", "le", "<=", "gt", ">", "ge", ">=").Replace(l.args[i+1])]
		if known && n >= 0 && p.local {
			if holds {
				return []string{"success"}, asked
			}
			return []string{"auth_err"}, asked
		}
	}
	return []string{"success", "auth_err"}, asked
}

// moduleGroups is a module that walks the user's groups. pam_access does so
// where a line of access.conf names one.
func (m *loginMachine) moduleGroups(p person, l pamLine) []request {
	if l.module == "pam_access" && !strings.ContainsAny(withoutComments(m.Files["/etc/security/access.conf"]), "(@") {
		return m.again(p, l)
	}
	return m.groups(p, l.module+" looks at the user's groups")
}

// askUnix is pam_unix. Its account phase reads the shadow entry, which files
// has of a local user.
func (m *loginMachine) askUnix(p person, l pamLine, phase string) ([]string, []request) {
	asked := m.again(p, l)
	if phase == "session" {
		return []string{"success"}, asked
	}
	asked = append(asked, m.name(p, lookup{"shadow", "pam_unix looks at the user's shadow entry", 1})...)
	if p.local {
		return []string{"success"}, asked
	}
	return []string{"success", "user_unknown"}, asked
}

// askLDAP is pam_ldap, nslcd's or PADL's. Its session phase asks nslcd for a
// number and the directory nothing.
func (m *loginMachine) askLDAP(p person, l pamLine, phase string) ([]string, []request) {
	if m.pamLDAP == nil {
		return []string{"authinfo_unavail", "ignore"}, nil
	}
	if phase == "session" {
		return []string{"success"}, nil
	}
	if v, ok := l.value("minimum_uid"); ok && p.local && p.uid < atoi(v) {
		return []string{"user_unknown", "ignore"}, nil
	}
	searches := 1 // for the user, who is not found where he is local
	if c, ok := m.pamLDAP.(nslcdClient); ok && !p.local {
		searches = 2 + c.conf.authz // what he may, and his shadow entry
		if phase == "auth" {
			searches++ // his own bind
		}
	}
	return []string{"authinfo_unavail", "user_unknown", "success", "perm_denied"}, []request{{
		of: OfDirectory, what: "pam_ldap's " + phase + " phase asks for the user: " + l.text, at: l.at,
		client: m.pamLDAP, searches: searches, remedy: m.guard(p, l, phase),
	}}
}

// askSSS is pam_sss, which has sssd look for the user anew, in the session phase
// as well, or at least waits for it to have come up.
func (m *loginMachine) askSSS(p person, l pamLine, phase string) ([]string, []request) {
	c, runs := m.clients["sss"]
	switch {
	case !runs:
		return []string{"authinfo_unavail", "ignore"}, nil
	case c.unknown(p):
		return []string{"success", "user_unknown"}, []request{{
			of: OfDirectory, what: "pam_sss's " + phase + " phase waits for sssd: " + l.text, at: l.at,
			client: sssdStuck{c.(sssdClient)}, searches: 1, remedy: m.guard(p, l, phase),
		}}
	}
	results, searches := []string{"authinfo_unavail", "user_unknown", "success", "perm_denied"}, 2
	if phase == "session" {
		results = []string{"success", "user_unknown"}
	} else if !p.local {
		searches = 3
	}
	return results, []request{{
		of: OfDirectory, what: "pam_sss's " + phase + " phase asks for the user: " + l.text, at: l.at,
		client: c, searches: searches, remedy: m.guard(p, l, phase),
	}}
}

// guard is what keeps a local user off a module. In a session nothing may end
// the phase: pam_systemd comes last.
func (m *loginMachine) guard(p person, l pamLine, phase string) string {
	if !p.local {
		return ""
	}
	if phase == "session" {
		return fmt.Sprintf("keep local users off %s: a jump over it, `[success=1 default=ignore] pam_localuser.so`, in the line before", l.module)
	}
	remedy := fmt.Sprintf("keep local users off %s: `sufficient pam_localuser.so`, or a jump over it, in the line before", l.module)
	if l.module == "pam_ldap" {
		remedy += "; or minimum_uid=" + strconv.Itoa(p.uid+1) + " or more, above all local users' uids"
	}
	return remedy
}

func withoutComments(text string) string {
	var b strings.Builder
	for _, l := range textLines("", text, "#") {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}
