package facts

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sshdConfig  = "/etc/ssh/sshd_config"
	sshdProgram = "/usr/sbin/sshd"
	askSshd     = 5 * time.Second // sshd -T reads files, and computes for milliseconds
)

// sshd is what `sshd -T` says. Where it cannot be asked, its files are read as
// far as a login's time turns on them.
func (r *loginReader) sshd(ctx context.Context) string {
	if r.h.Live() && r.exists(sshdProgram) {
		ctx, cancel := context.WithTimeout(ctx, askSshd)
		defer cancel()
		out, err := r.h.Run(ctx, sshdProgram, "-T")
		if err == nil {
			return mask(string(out.Stdout))
		}
		r.note("%v: sshd's settings are read from its files", err)
	} else if r.h.Live() {
		r.note("%s is not there: sshd's settings are read from its files, if any", sshdProgram)
	}
	return sshdSettings(r.files)
}

// sshdKeys are the settings that a login's time turns on, and those that decide
// whether somebody who has a key gets in.
var sshdKeys = map[string]bool{
	"logingracetime": true, "usedns": true, "usepam": true, "pamservicename": true,
	"allowgroups": true, "denygroups": true, "authorizedkeysfile": true,
	"authorizedkeyscommand": true, "authorizedkeyscommanduser": true,
	"authorizedprincipalscommand": true, "authorizedprincipalscommanduser": true,
	"allowusers": true, "denyusers": true, "pubkeyauthentication": true, "strictmodes": true,
	"authenticationmethods": true, "permitrootlogin": true,
}

// sshdLists are those of which all lines count, and not the first alone.
var sshdLists = map[string]bool{"allowusers": true, "denyusers": true, "allowgroups": true, "denygroups": true}

// sshdSettings are those of the files, as `sshd -T` would print them: of two
// that say the same the first counts, and what follows a Match line is for
// some users alone. The folder comes first, as every distribution includes it
// at the head.
func sshdSettings(files map[string]string) string {
	var paths []string
	for _, p := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(p, sshdConfig+".d/") {
			paths = append(paths, p)
		}
	}
	said := map[string]string{}
	for _, p := range append(paths, sshdConfig) {
		for line := range strings.Lines(files[p]) {
			key, value := sshdSetting(line)
			if key == "match" {
				break
			}
			switch before, twice := said[key]; {
			case !twice && sshdKeys[key]:
				said[key] = value
			case sshdLists[key]:
				said[key] = before + " " + value
			}
		}
	}
	if g, ok := said["logingracetime"]; ok {
		said["logingracetime"] = sshdSeconds(g)
	}
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(said)) {
		out.WriteString(key + " " + said[key] + "\n")
	}
	return out.String()
}

// sshdValue is one of the settings.
func sshdValue(settings, key string) (value string, said bool) {
	for line := range strings.Lines(settings) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), key+" "); ok {
			return v, true
		}
	}
	return "", false
}

// sshdSetting parts "Key value", "Key=value" and "Key "value"".
func sshdSetting(line string) (key, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), ""
	}
	return strings.ToLower(line[:end]), strings.Trim(strings.TrimLeft(line[end:], " \t="), `"`)
}

// sshdSeconds reads sshd's times, "2m" and "1h30m" among them. What is none
// stays as it is, for who reads it to say so.
func sshdSeconds(s string) string {
	if _, err := strconv.Atoi(s); err == nil {
		return s
	}
	d, err := time.ParseDuration(strings.ToLower(s))
	if err != nil {
		return s
	}
	return strconv.Itoa(int(d.Seconds()))
}
