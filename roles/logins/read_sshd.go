package logins

import (
	"slices"
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// sshdConf is the part of `sshd -T` that a login's time turns on.
type sshdConf struct {
	grace      int // seconds; 0 is no limit
	useDNS     bool
	usePAM     bool
	service    string // PAM's
	groups     string // the option that makes sshd look up groups for its own sake, "" where none does
	keysFiles  []string
	commands   []sshdCommand
	twoLookups bool // 9.9 and later look the user up twice
}

// sshdCommand is a program that sshd runs before it believes a key.
type sshdCommand struct{ option, run, user string }

// parseSshd reads the "key value" lines. A key of its own may come again and
// adds to a list.
func parseSshd(text string) (sshdConf, remarks) {
	c := sshdConf{
		grace: 120, usePAM: true, service: "sshd",
		keysFiles: []string{".ssh/authorized_keys", ".ssh/authorized_keys2"},
	}
	var notes remarks
	runs := map[string]string{}
	for _, kv := range keyValues("sshd -T", text) {
		switch kv.key {
		case "logingracetime":
			n, err := strconv.Atoi(strings.TrimSuffix(kv.value, "s"))
			if err != nil || n < 0 || n > maxSetting {
				notes.add(kv.at, "logingracetime %s is no number of seconds: taken as %d", cite.Quote(kv.value), c.grace)
				continue
			}
			c.grace = n
		case "usedns":
			c.useDNS = kv.value == "yes"
		case "usepam":
			c.usePAM = kv.value == "yes"
		case "pamservicename":
			c.service = kv.value
		case "refuseconnection":
			c.twoLookups = true
		case "allowgroups", "denygroups":
			c.groups = kv.key
		case "authorizedkeysfile":
			c.keysFiles = strings.Fields(kv.value)
		case "authorizedkeyscommand", "authorizedprincipalscommand", "authorizedkeyscommanduser", "authorizedprincipalscommanduser":
			runs[kv.key] = kv.value
		}
	}
	for _, option := range []string{"authorizedkeyscommand", "authorizedprincipalscommand"} {
		if run := runs[option]; run != "" && run != "none" {
			c.commands = append(c.commands, sshdCommand{option, run, runs[option+"user"]})
		}
	}
	return c, notes
}

// graceSeconds is what the budget is measured against. Without a limit it is
// what sshd would have taken.
func (c sshdConf) graceSeconds() int {
	if c.grace == 0 {
		return 120
	}
	return c.grace
}

// keysInHome says whether sshd reads the user's home before it lets him in.
func (c sshdConf) keysInHome() bool {
	for _, f := range c.keysFiles {
		if f != "none" && (!strings.HasPrefix(f, "/") || strings.Contains(f, "%h")) {
			return true
		}
	}
	return false
}

// sshdLines are the lines of sshd_config, those of the folder first, which
// every distribution includes at the head.
func sshdLines(files map[string]string) []textLine {
	var out []textLine
	for _, path := range sortedKeys(files) {
		if strings.HasPrefix(path, sshdPath+".d/") && strings.HasSuffix(path, ".conf") {
			out = append(out, textLines(path, files[path], "#")...)
		}
	}
	return append(out, textLines(sshdPath, files[sshdPath], "#")...)
}

// matchesGroup is the first Match line that asks for groups: `sshd -T` does
// not show it, and it makes sshd walk them for every user.
func matchesGroup(lines []textLine) (textLine, bool) {
	for _, l := range lines {
		f := strings.Fields(strings.ToLower(strings.ReplaceAll(l.text, "=", " ")))
		if len(f) > 1 && f[0] == "match" && slices.Contains(f[1:], "group") {
			return l, true
		}
	}
	return textLine{}, false
}
