package logins

import (
	"fmt"
	"strings"
	"testing"
)

func TestDirectoryLoops(t *testing.T) {
	const names, address = "uri ldap://ldap.acme.private/ ldap://10.0.0.4\n", "uri ldap://10.0.0.4\n"
	nslcd, padl := Running{Nslcd: true}, Running{PADL: true}
	loop := func(later bool) string {
		return fmt.Sprintf("ldap://ldap.acme.private:389 %v", later)
	}
	tests := map[string]struct {
		hosts, known string
		conf         string
		runs         Running
		want         string
	}{
		"nslcd, nobody else":              {"files ldap", "", names, nslcd, loop(false)},
		"nslcd, DNS after":                {"files ldap dns", "", names, nslcd, ""},
		"nslcd, DNS before":               {"files dns ldap", "", names, nslcd, ""},
		"nslcd, DNS never reached":        {"files ldap [!SUCCESS=return] dns", "", names, nslcd, loop(false)},
		"nslcd, in /etc/hosts":            {"files ldap", "10.0.0.4 LDAP.acme.private\n", names, nslcd, ""},
		"nslcd, /etc/hosts is not asked":  {"ldap", "10.0.0.4 ldap.acme.private\n", names, nslcd, loop(false)},
		"nslcd, /etc/hosts is too late":   {"ldap files", "10.0.0.4 ldap.acme.private\n", names, nslcd, loop(false)},
		"nslcd, by address":               {"files ldap", "", address, nslcd, ""},
		"nslcd, as the package leaves it": {"files ldap", "", "uri ldap://localhost/\n", nslcd, ""},
		"nslcd, without a server":         {"files ldap", "", "base dc=a\n", nslcd, ""},
		"PADL, nobody else":               {"files ldap", "", names, padl, loop(false)},
		"PADL, DNS after":                 {"files ldap dns", "", names, padl, loop(false)},
		"PADL, DNS before":                {"files dns ldap", "", names, padl, loop(true)},
		"PADL, DNS has the last word":     {"files dns [!SUCCESS=return] ldap", "", names, padl, ""},
		"PADL, in /etc/hosts":             {"files ldap dns", "10.0.0.4 ldap.acme.private\n", names, padl, ""},
		"the directory is not asked":      {"files dns", "", names, padl, ""},
		"sssd":                            {"files sss", "", names, Running{SSSD: true}, ""},
		"nobody runs":                     {"files ldap", "", names, Running{}, ""},
	}
	for name, tt := range tests {
		var got []string
		loops := DirectoryLoops(Login{Running: tt.runs, Files: map[string]string{
			nsswitchPath: "passwd: files ldap\nhosts: " + tt.hosts + "\n", "/etc/hosts": tt.known, nslcdPath: tt.conf, "/etc/libnss-ldap.conf": tt.conf,
		}})
		for _, l := range loops {
			got = append(got, fmt.Sprintf("%s %v", l.Server, l.Later))
			if l.Hosts != nsswitchPath+":2" || !strings.HasSuffix(l.At, ".conf:1") {
				t.Errorf("%s: at %s, by %s", name, l.At, l.Hosts)
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
