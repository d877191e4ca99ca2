package facts

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Masked stands where a password stood.
const Masked = "(masked)"

// secretKeys are the settings of nslcd, PADL's modules and sssd whose whole
// value is a password. One that is commented out has often been valid.
var secretKeys = map[string]bool{
	"bindpw": true, "rootbindpw": true, "rootpwmodpw": true, "ldap_default_authtok": true,
}

// secretWords are options that carry one: of a mount, of a PAM module, where
// one in brackets may hold blanks.
var secretWords = sync.OnceValue(func() *regexp.Regexp {
	const names = `(pass|passwd|password|bindpw|secret)=`
	return regexp.MustCompile(`(?i)(\[` + names + `)[^\]\n]*|(\b` + names + `)("[^"\n]*"|'[^'\n]*'|[^\s,])+`)
})

// mask replaces passwords and keeps the lines, so that what is said of one
// still names its place.
func mask(text string) string {
	var out strings.Builder
	folded := false // the line before is sssd's secret, which goes on where a line begins with a blank
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		bare := strings.TrimLeft(line, "#; \t")
		name := len(bare) - len(strings.TrimLeft(bare, settingRunes))
		key := strings.ToLower(bare[:name])
		switch {
		case folded && strings.TrimSpace(line) != "" && strings.ContainsRune(" \t", rune(line[0])):
			line = " " + Masked
		case secretKeys[key] && strings.TrimLeft(bare[name:], " \t=\r\n") != "":
			gap := len(bare[name:]) - len(strings.TrimLeft(bare[name:], " \t="))
			line = strings.TrimSuffix(line, bare) + bare[:name+gap] + Masked
			folded = key == "ldap_default_authtok"
		case !mayHoldSecret(line):
			folded = false
		default:
			line = secretWords().ReplaceAllString(line, "$1$3"+Masked)
			folded = false
		}
		out.WriteString(line)
		if ended {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// mayHoldSecret is quicker than the expression, and true wherever that
// matches: each of its names ends in one of these.
func mayHoldSecret(line string) bool {
	if !strings.Contains(line, "=") {
		return false
	}
	line = strings.ToLower(line)
	for _, end := range []string{"pass=", "passwd=", "password=", "pw=", "secret="} {
		if strings.Contains(line, end) {
			return true
		}
	}
	return false
}

const settingRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// maskHashes takes a password's hash out of the lines of passwd and group,
// where it has no business any more.
func maskHashes(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		f := strings.SplitN(line, ":", 3)
		if len(f) == 3 && !slices.Contains([]string{"", "x", "*", "!", "!!"}, f[1]) {
			line = f[0] + ":" + Masked + ":" + f[2]
		}
		out.WriteString(line)
	}
	return out.String()
}

// NetworkPrograms are those whose names tell that a script asks the network.
var NetworkPrograms = []string{"curl", "wget", "aws", "ldapsearch", "dig", "nslookup", "ssh", "ping", "getent"}

// programs keeps of a script the names of such programs alone, each on its own
// line's place: the rest may hold what nobody should copy.
func programs(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			line = ""
		}
		words := strings.FieldsFunc(line, func(r rune) bool { return !strings.ContainsRune(settingRunes+"-", r) })
		words = slices.DeleteFunc(words, func(w string) bool { return !slices.Contains(NetworkPrograms, w) })
		out.WriteString(strings.Join(words, " ") + "\n")
	}
	return out.String()
}
