package sudoers

import (
	"slices"
	"strconv"
	"strings"
)

// reader holds the aliases.
type reader struct {
	who     User
	aliases map[string][]string
	denied  bool // the last rule took all commands away
	read    int  // words of aliases
}

// mostAliased is more words than any rules need: aliases that name each other
// many times over would be followed without end.
const mostAliased = 10000

// alias reads "User_Alias NAME = a, b : NAME2 = c". The four kinds share no
// names in practice, and one that did would be followed all the same.
func (r *reader) alias(text string) {
	text = withoutComment(text)
	kind, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
	if !slices.Contains([]string{"User_Alias", "Host_Alias", "Runas_Alias", "Cmnd_Alias", "Cmd_Alias"}, kind) {
		return
	}
	for _, one := range split(rest, ":") {
		if name, members, ok := strings.Cut(one, "="); ok {
			r.aliases[strings.TrimSpace(name)] = split(members, ",")
		}
	}
}

// options stand before a command and bound it; what they say is not read.
var options = []string{
	"ROLE=", "TYPE=", "APPARMOR_PROFILE=", "PRIVS=", "NOTBEFORE=", "NOTAFTER=", "TIMEOUT=", "CWD=", "CHROOT=",
}

// rule is what one rule says of all commands as root: yes, no where it does not
// fit or speaks of less, unsure. ok says that it has a rule's form.
func (r *reader) rule(text string) (may Answer, password, ok bool) {
	r.denied = false
	at := outside(text, "=")
	if at < 0 || slices.ContainsFunc(options, func(o string) bool { return strings.Contains(text[at:], o) }) {
		return No, true, false
	}
	users, hosts := head(text[:at])
	if users == "" || hosts == "" {
		return No, true, false
	}
	fits := r.list(split(users, ","), r.user, 0)
	password = true
	// More "HOSTS = COMMANDS" follow behind colons; those within parentheses or
	// behind a tag are no such.
	for _, part := range parts(text[at+1:]) {
		if part.hosts != "" {
			hosts = part.hosts
		}
		here := r.list(split(hosts, ","), r.hostIs, 0)
		got, asks := r.commands(part.commands)
		takes := got == No && r.takesAll(part.commands)
		switch both := and(and(fits, here), got); {
		case both != No:
			may, password = both, asks
			r.denied = false
		case takes && and(fits, here) == Yes:
			r.denied = true
		case takes && and(fits, here) == Unsure:
			may = Unsure
		}
	}
	return may, password, true
}

func and(a, b Answer) Answer {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unsure
}

// takesAll says that the last word of a list of commands forbids all.
func (r *reader) takesAll(list string) bool {
	words := split(list, ",")
	return len(words) > 0 && strings.HasSuffix(strings.ReplaceAll(words[len(words)-1], " ", ""), "!ALL")
}

// commands is whether a list lets all commands be run as root, and asks for a
// password. Who runs them, and the tags, hold for those that follow as well.
func (r *reader) commands(list string) (may Answer, password bool) {
	asRoot, asks := Yes, true
	password = true
	for _, word := range split(list, ",") {
		if strings.HasPrefix(word, "(") {
			end := strings.IndexByte(word, ')')
			if end < 0 {
				return Unsure, true
			}
			runas, _, _ := strings.Cut(word[1:end], ":")
			asRoot = r.list(split(runas, ","), r.runasRoot, 0)
			if strings.TrimSpace(word[1:end]) == "" || strings.TrimSpace(runas) == "" {
				asRoot = No // as himself, with other groups
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
		case what == Yes:
			may, password = asRoot, asks
		case what == Unsure && may == Yes, strings.HasPrefix(word, "!") && may == Yes:
			may = Unsure // all but some: which, is not looked at
			if strings.ReplaceAll(word, " ", "") == "!ALL" {
				may = No
			}
		}
	}
	return may, password
}

// list is what a list of users, hosts, runas users or commands says of one: the
// last that fits counts, and "!" before it turns it round.
func (r *reader) list(words []string, is func(string) Answer, deep int) Answer {
	const deepest = 8 // aliases that name each other
	out := No
	for _, w := range words {
		not := false
		for strings.HasPrefix(w, "!") {
			not, w = !not, strings.TrimSpace(w[1:])
		}
		got := No
		r.read++
		if members, ok := r.aliases[w]; ok && deep < deepest && r.read < mostAliased {
			got = r.list(members, is, deep+1)
		} else if ok {
			got = Unsure
		} else {
			got = is(strings.Trim(w, `"`))
		}
		switch {
		case got == Unsure:
			out = Unsure
		case got == Yes && not:
			out = No
		case got == Yes:
			out = Yes
		}
	}
	return out
}

func truth(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

func (r *reader) user(w string) Answer {
	switch {
	case w == "ALL" || w == r.who.Name:
		return Yes
	case w == "" || strings.HasPrefix(w, "+"), strings.HasPrefix(w, "%:"), strings.Contains(w, `\`):
		return Unsure
	case strings.HasPrefix(w, "%#"):
		gid, err := strconv.Atoi(w[2:])
		return truth(err == nil && slices.Contains(r.who.GIDs, gid))
	case strings.HasPrefix(w, "%"):
		return truth(slices.Contains(r.who.Groups, strings.Trim(w[1:], `"`)))
	case strings.HasPrefix(w, "#"):
		uid, err := strconv.Atoi(w[1:])
		return truth(err == nil && uid == r.who.UID)
	}
	return No
}

func (r *reader) hostIs(w string) Answer {
	short, _, _ := strings.Cut(r.who.Host, ".")
	switch {
	case w == "ALL" || r.who.Host != "" && (strings.EqualFold(w, r.who.Host) || strings.EqualFold(w, short)):
		return Yes
	case w == "" || strings.ContainsAny(w, `+*?[\/:`) || strings.Trim(w, "0123456789.") == "" || r.who.Host == "":
		return Unsure
	}
	return No
}

func (r *reader) runasRoot(w string) Answer {
	switch {
	case w == "ALL" || w == "root" || w == "#0":
		return Yes
	case w == "" || strings.ContainsAny(w[:1], "%+") || strings.Contains(w, `\`):
		return Unsure
	}
	return No
}

func commandIs(w string) Answer { return truth(w == "ALL") }
