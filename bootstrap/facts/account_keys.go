package facts

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
)

// KeyFile is a file in which sshd looks for a user's keys.
type KeyFile struct {
	Way
	Said string // as AuthorizedKeysFile names it
	Keys []AuthorizedKey
	Odd  int // lines in which no key could be read
}

// AuthorizedKey is one key, without the key.
type AuthorizedKey struct {
	Type    string   // ssh-ed25519
	Options []string // their names, in lower case and without values: command, from
}

// keyTypes are those that sshd takes by default. An ssh-dss key is none: sshd
// has refused it since 7.0, and cannot read it since 10.0.
var keyTypes = []string{
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
}

// keys reads the files that sshd's settings name, for a line of /etc/passwd.
func (r *accountReader) keys(sshd string, entry []string) []KeyFile {
	said, ok := sshdValue(sshd, "authorizedkeysfile")
	if !ok {
		said = ".ssh/authorized_keys .ssh/authorized_keys2"
	}
	var out []KeyFile
	for _, word := range strings.Fields(strings.ReplaceAll(said, `"`, "")) {
		if strings.EqualFold(word, "none") {
			continue
		}
		f := KeyFile{Said: word}
		p, known := keysPath(word, entry)
		if !known {
			f.Way = Way{Path: word, Unread: "it holds a token that is not known here"}
			out = append(out, f)
			continue
		}
		f.Way = r.walk(p)
		if end := f.End(); end.Exists && end.Mode.IsRegular() && end.Size <= maxLoginFile {
			text, _ := r.text(end.Path)
			f.Keys, f.Odd = authorizedKeys(text)
		}
		out = append(out, f)
	}
	return out
}

// keysPath fills in sshd's tokens; what is not absolute then lies in the home.
func keysPath(word string, entry []string) (p string, known bool) {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '%' {
			b.WriteByte(word[i])
			continue
		}
		i++
		if i == len(word) {
			return "", false
		}
		token, ok := map[byte]string{'%': "%", 'h': entry[5], 'u': entry[0], 'U': entry[2]}[word[i]]
		if !ok {
			return "", false
		}
		b.WriteString(token)
	}
	if strings.HasPrefix(b.String(), "/") {
		return b.String(), true
	}
	return entry[5] + "/" + b.String(), true
}

// authorizedKeys reads the lines of a file, and counts those that hold neither
// a key nor a comment.
func authorizedKeys(text string) (keys []AuthorizedKey, odd int) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, ok := keyOf(line)
		if !ok {
			var options string
			options, line = keyOptions(line)
			k, ok = keyOf(line)
			k.Options = optionNames(options)
		}
		if !ok {
			odd++
			continue
		}
		keys = append(keys, k)
	}
	return keys, odd
}

// keyOf reads "TYPE BASE64 …": the type is said once more within the bytes,
// and something must follow it there.
func keyOf(line string) (AuthorizedKey, bool) {
	f := strings.Fields(line)
	if len(f) < 2 || !slices.Contains(keyTypes, f[0]) {
		return AuthorizedKey{}, false
	}
	blob, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil || len(blob) < 4 {
		return AuthorizedKey{}, false
	}
	n := int(binary.BigEndian.Uint32(blob))
	if n != len(f[0]) || len(blob) < 4+n+4+32 || string(blob[4:4+n]) != f[0] {
		return AuthorizedKey{}, false
	}
	return AuthorizedKey{Type: f[0]}, true
}

// keyOptions parts the options from what follows them: they end at the first
// blank that stands in no quotes.
func keyOptions(line string) (options, rest string) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == '"':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted && (line[i] == ' ' || line[i] == '\t'):
			return line[:i], strings.TrimSpace(line[i:])
		}
	}
	return line, ""
}

// optionNames are the names alone: a value may say what nobody should copy.
func optionNames(options string) []string {
	var out []string
	for options != "" {
		end := strings.IndexAny(options, ",=")
		if end < 0 {
			end = len(options)
		}
		out = append(out, strings.ToLower(options[:end]))
		// What follows the name goes up to the next comma outside of quotes.
		quoted := false
		i := end
		for ; i < len(options); i++ {
			if options[i] == '\\' && i+1 < len(options) && options[i+1] == '"' {
				i++
			} else if options[i] == '"' {
				quoted = !quoted
			} else if options[i] == ',' && !quoted {
				break
			}
		}
		options = strings.TrimPrefix(options[min(i, len(options)):], ",")
	}
	return out
}
