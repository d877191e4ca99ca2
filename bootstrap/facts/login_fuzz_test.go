package facts

import (
	"strings"
	"testing"
)

// Whatever a file holds: no line comes or goes, what is masked once stays so,
// and a password is gone wherever the line before it ends.
func FuzzMask(f *testing.F) {
	f.Add("uri ldap://x\nbindpw hunter2\n")
	f.Add("[domain/x]\nldap_default_authtok = a\n  b\n\n c")
	f.Add("* -fstype=cifs,password='a b',rw ://x/y\r\n")
	f.Add("auth required x.so [passwd=a b] pass=c")
	f.Add("#;bindpw\n\tBINDPW=\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := mask(text)
		if strings.Count(got, "\n") != strings.Count(text, "\n") && strings.HasSuffix(text, "\n") {
			t.Errorf("lines: %q of %q", got, text)
		}
		for line := range strings.Lines(text) {
			if secretWords().MatchString(line) && !mayHoldSecret(line) {
				t.Errorf("passed over: %q", line)
			}
		}
		if twice := mask(got); twice != got {
			t.Errorf("masked twice: %q, once %q", twice, got)
		}
		if strings.Contains(mask(strings.TrimSuffix(text, "\n")+"\nbindpw hunter-two\n"), "hunter-two") {
			t.Errorf("a password behind %q", text)
		}
		for _, odd := range []func(string) string{programs, maskHashes, func(s string) string { return sshdSettings(map[string]string{sshdConfig: s}) }} {
			odd(text)
		}
	})
}
