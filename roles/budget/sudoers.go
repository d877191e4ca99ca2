package budget

import (
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// answer is yes, no, or what could not be read: that is never taken for a no.
type answer int

const (
	no answer = iota
	yes
	unsure
)

// sudoer is who asks sudo to run anything as root, on which host.
type sudoer struct {
	name   string
	uid    int
	gids   []int
	groups []string // local ones, the primary among them
	host   string   // /etc/hostname's
}

// sudoRule is what sudo's rules say.
type sudoRule struct {
	may      answer
	at       cite.Place // the rule that says so
	password bool       // it asks for the user's own password
	unread   []cite.Place
}

// mayBecomeRoot reads rules as sudo does: of those that fit the last counts. It
// looks for a rule for all commands as root. User, group, host and command
// aliases are followed; a netgroup, a group of another source, a network or a
// pattern is not read, and makes the answer unsure.
func mayBecomeRoot(lines []facts.SudoersLine, who sudoer) sudoRule {
	r := sudoersReader{who: who, aliases: map[string][]string{}}
	for _, l := range lines {
		r.alias(l.Text) // may stand behind the rule that names it
	}
	out := sudoRule{password: true}
	asks := true
	for _, l := range lines {
		at := cite.Place{File: l.File, Line: l.Line}
		text := withoutSudoComment(l.Text)
		first, rest, _ := strings.Cut(text, " ")
		switch {
		case text == "" || strings.HasSuffix(first, "_Alias"):
			continue
		case strings.HasPrefix(first, "Defaults"):
			if slices.Contains(splitSudo(rest, ", "), "!authenticate") {
				asks = false
			}
			continue
		}
		may, password, ok := r.rule(text)
		if !ok || may == unsure {
			out.unread = append(out.unread, at)
			// What would have granted leaves a no open; what may take away, a yes.
			if may = unsure; out.may == yes && !strings.Contains(text, "!") {
				continue
			}
			out.may, out.at = may, at
			continue
		}
		if may == yes {
			out.may, out.at, out.password = yes, at, password
		} else if r.denied {
			out.may, out.at = no, at
		}
	}
	out.password = out.password && asks
	return out
}

// sudoersReader holds the aliases.
type sudoersReader struct {
	who     sudoer
	aliases map[string][]string
	denied  bool // the last rule took all commands away
	read    int  // words of aliases
}

// mostAliased is more words than any rules need: aliases that name each other
// many times over would be followed without end.
const mostAliased = 10000

// alias reads "User_Alias NAME = a, b : NAME2 = c". The four kinds share no
// names in practice, and one that did would be followed all the same.
func (r *sudoersReader) alias(text string) {
	text = withoutSudoComment(text)
	kind, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
	if !slices.Contains([]string{"User_Alias", "Host_Alias", "Runas_Alias", "Cmnd_Alias", "Cmd_Alias"}, kind) {
		return
	}
	for _, one := range splitSudo(rest, ":") {
		if name, members, ok := strings.Cut(one, "="); ok {
			r.aliases[strings.TrimSpace(name)] = splitSudo(members, ",")
		}
	}
}

// sudoOptions stand before a command and bound it; what they say is not read.
var sudoOptions = []string{
	"ROLE=", "TYPE=", "APPARMOR_PROFILE=", "PRIVS=", "NOTBEFORE=", "NOTAFTER=", "TIMEOUT=", "CWD=", "CHROOT=",
}

// rule is what one rule says of all commands as root: yes, no where it does not
// fit or speaks of less, unsure. ok says that it has a rule's form.
func (r *sudoersReader) rule(text string) (may answer, password, ok bool) {
	r.denied = false
	at := outside(text, "=")
	if at < 0 || slices.ContainsFunc(sudoOptions, func(o string) bool { return strings.Contains(text[at:], o) }) {
		return no, true, false
	}
	users, hosts := sudoHead(text[:at])
	if users == "" || hosts == "" {
		return no, true, false
	}
	fits := r.list(splitSudo(users, ","), r.user, 0)
	password = true
	// More "HOSTS = COMMANDS" follow behind colons; those within parentheses or
	// behind a tag are no such.
	for _, part := range sudoParts(text[at+1:]) {
		if part.hosts != "" {
			hosts = part.hosts
		}
		here := r.list(splitSudo(hosts, ","), r.hostIs, 0)
		got, asks := r.commands(part.commands)
		takes := got == no && r.takesAll(part.commands)
		switch both := and(and(fits, here), got); {
		case both != no:
			may, password = both, asks
			r.denied = false
		case takes && and(fits, here) == yes:
			r.denied = true
		case takes && and(fits, here) == unsure:
			may = unsure
		}
	}
	return may, password, true
}

func and(a, b answer) answer {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unsure
}

// takesAll says that the last word of a list of commands forbids all.
func (r *sudoersReader) takesAll(list string) bool {
	words := splitSudo(list, ",")
	return len(words) > 0 && strings.HasSuffix(strings.ReplaceAll(words[len(words)-1], " ", ""), "!ALL")
}

// commands is whether a list lets all commands be run as root, and asks for a
// password. Who runs them, and the tags, hold for those that follow as well.
func (r *sudoersReader) commands(list string) (may answer, password bool) {
	asRoot, asks := yes, true
	password = true
	for _, word := range splitSudo(list, ",") {
		if strings.HasPrefix(word, "(") {
			end := strings.IndexByte(word, ')')
			if end < 0 {
				return unsure, true
			}
			runas, _, _ := strings.Cut(word[1:end], ":")
			asRoot = r.list(splitSudo(runas, ","), r.runasRoot, 0)
			if strings.TrimSpace(word[1:end]) == "" || strings.TrimSpace(runas) == "" {
				asRoot = no // as himself, with other groups
			}
			word = strings.TrimSpace(word[end+1:])
		}
		for {
			tag, rest, ok := strings.Cut(word, ":")
			tag = strings.TrimSpace(tag)
			if !ok || tag == "" || strings.Trim(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
				break
			}
			switch tag {
			case "NOPASSWD":
				asks = false
			case "PASSWD":
				asks = true
			}
			word = strings.TrimSpace(rest)
		}
		switch what := r.list([]string{word}, commandIs, 0); {
		case what == yes:
			may, password = asRoot, asks
		case what == unsure && may == yes, strings.HasPrefix(word, "!") && may == yes:
			may = unsure // all but some: which, is not looked at
			if strings.ReplaceAll(word, " ", "") == "!ALL" {
				may = no
			}
		}
	}
	return may, password
}

// list is what a list of users, hosts, runas users or commands says of one: the
// last that fits counts, and "!" before it turns it round.
func (r *sudoersReader) list(words []string, is func(string) answer, deep int) answer {
	const deepest = 8 // aliases that name each other
	out := no
	for _, w := range words {
		not := false
		for strings.HasPrefix(w, "!") {
			not, w = !not, strings.TrimSpace(w[1:])
		}
		got := no
		r.read++
		if members, ok := r.aliases[w]; ok && deep < deepest && r.read < mostAliased {
			got = r.list(members, is, deep+1)
		} else if ok {
			got = unsure
		} else {
			got = is(strings.Trim(w, `"`))
		}
		switch {
		case got == unsure:
			out = unsure
		case got == yes && not:
			out = no
		case got == yes:
			out = yes
		}
	}
	return out
}

func truth(b bool) answer {
	if b {
		return yes
	}
	return no
}

func (r *sudoersReader) user(w string) answer {
	switch {
	case w == "ALL" || w == r.who.name:
		return yes
	case w == "" || strings.HasPrefix(w, "+"), strings.HasPrefix(w, "%:"), strings.Contains(w, `\`):
		return unsure
	case strings.HasPrefix(w, "%#"):
		gid, err := strconv.Atoi(w[2:])
		return truth(err == nil && slices.Contains(r.who.gids, gid))
	case strings.HasPrefix(w, "%"):
		return truth(slices.Contains(r.who.groups, strings.Trim(w[1:], `"`)))
	case strings.HasPrefix(w, "#"):
		uid, err := strconv.Atoi(w[1:])
		return truth(err == nil && uid == r.who.uid)
	}
	return no
}

func (r *sudoersReader) hostIs(w string) answer {
	short, _, _ := strings.Cut(r.who.host, ".")
	switch {
	case w == "ALL" || r.who.host != "" && (strings.EqualFold(w, r.who.host) || strings.EqualFold(w, short)):
		return yes
	case w == "" || strings.ContainsAny(w, `+*?[\/:`) || strings.Trim(w, "0123456789.") == "" || r.who.host == "":
		return unsure
	}
	return no
}

func (r *sudoersReader) runasRoot(w string) answer {
	switch {
	case w == "ALL" || w == "root" || w == "#0":
		return yes
	case w == "" || strings.ContainsAny(w[:1], "%+") || strings.Contains(w, `\`):
		return unsure
	}
	return no
}

func commandIs(w string) answer { return truth(w == "ALL") }
