package logins

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseResolv(t *testing.T) {
	for name, tt := range map[string]struct {
		text, hostname  string
		servers, search []string
		timeout         int
		attempts, ndots int
		line            int // of timeout; 0: glibc's own
		notes           int
	}{
		"nothing":            {"", "db01", []string{"127.0.0.1"}, nil, 5, 2, 1, 0, 0},
		"the host's domain":  {"", "db01.acme.private", []string{"127.0.0.1"}, []string{"acme.private"}, 5, 2, 1, 0, 0},
		"odd spacing":        {"# a\n;b\nnameserver\t 10.0.0.2 \noptions   timeout:1\tattempts:1\n", "db01", []string{"10.0.0.2"}, nil, 1, 1, 1, 4, 0},
		"the last search":    {"domain a.b\nsearch c.d e.f\n", "", []string{"127.0.0.1"}, []string{"c.d", "e.f"}, 5, 2, 1, 0, 0},
		"the last domain":    {"search c.d e.f\ndomain a.b\n", "", []string{"127.0.0.1"}, []string{"a.b"}, 5, 2, 1, 0, 0},
		"options add up":     {"options timeout:1\noptions attempts:3 ndots:4\n", "", []string{"127.0.0.1"}, nil, 1, 3, 4, 1, 0},
		"capped":             {"options timeout:99 attempts:9 ndots:99\n", "", []string{"127.0.0.1"}, nil, 30, 5, 15, 1, 0},
		"not a number":       {"options timeout:soon\n", "", []string{"127.0.0.1"}, nil, 0, 2, 1, 1, 0},
		"a fourth server":    {"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver fd00::1\nnameserver 10.0.0.4\n", "", []string{"10.0.0.1", "10.0.0.2", "fd00::1"}, nil, 5, 2, 1, 0, 1},
		"no address":         {"nameserver ns.acme.private\nnameserver fe80::1%eth0\n", "", []string{"fe80::1%eth0"}, nil, 5, 2, 1, 0, 1},
		"begins with blanks": {" nameserver 10.0.0.2\n", "", []string{"127.0.0.1"}, nil, 5, 2, 1, 0, 1},
		"half a line":        {"nameserver\nsearch\noptions\n", "", []string{"127.0.0.1"}, nil, 5, 2, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, notes := parseResolv(tt.text, tt.hostname)
			var servers []string
			for _, s := range c.servers {
				servers = append(servers, s.s)
			}
			if !slices.Equal(servers, tt.servers) || !slices.Equal(c.search, tt.search) {
				t.Errorf("servers %v, search %v", servers, c.search)
			}
			if c.timeout.n != tt.timeout || c.attempts.n != tt.attempts || c.ndots.n != tt.ndots || c.timeout.at.Line != tt.line {
				t.Errorf("%+v", c)
			}
			if len(notes) != tt.notes {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

func TestParseNSSwitch(t *testing.T) {
	n, notes := parseNSSwitch("# passwd: ldap\n\n  passwd :files\tldap # last\npasswd: files [NOTFOUND=return] ldap\n" +
		"group: files [SUCCESS=merge] sss [!UNAVAIL = return TRYAGAIN=continue]dns\nnonsense\nsudoers: files sss\n")
	if len(notes) != 2 || !strings.Contains(notes[0], "nsswitch.conf:4: passwd is here twice") {
		t.Errorf("notes %q", notes)
	}
	passwd := n.line("passwd")
	want := []nssSource{{"files", map[string]string{"notfound": "return"}}, {"ldap", nil}}
	if diff := cmp.Diff(want, passwd.sources, cmp.AllowUnexported(nssSource{})); diff != "" || passwd.at.Line != 4 {
		t.Errorf("line %d\n%s", passwd.at.Line, diff)
	}
	want = []nssSource{
		{"files", map[string]string{"success": "merge"}},
		{"sss", map[string]string{"success": "return", "notfound": "return", "tryagain": "continue"}},
		{"dns", nil},
	}
	if diff := cmp.Diff(want, n.line("group").sources, cmp.AllowUnexported(nssSource{})); diff != "" {
		t.Error(diff)
	}
	if shadow := n.line("shadow"); shadow.at.Line != 4 {
		t.Errorf("without a line of its own shadow is passwd's: %+v", shadow)
	}
	if got := n.line("hosts").text; got != "hosts: files dns" || n.line("hosts").at.Line != 0 {
		t.Errorf("hosts by default: %q", got)
	}
}

func TestNSSActions(t *testing.T) {
	for text, want := range map[string]string{ // the answers after which the next source is asked
		"files":                          "notfound unavail tryagain",
		"files [SUCCESS=continue]":       "success notfound unavail tryagain",
		"files [success=merge]":          "success notfound unavail tryagain",
		"files [NOTFOUND=return]":        "unavail tryagain",
		"files [!UNAVAIL=return]":        "unavail",
		"files [UNAVAIL=return bad]":     "notfound tryagain",
		"files [NOTFOUND=return":         "unavail tryagain",
		"files [!SUCCESS=return] [x=y ]": "",
	} {
		var got []string
		for _, s := range nssStatuses {
			if parseSources(text)[0].goesOn(s) {
				got = append(got, s)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: goes on after %v, want %s", text, got, want)
		}
	}
}

func TestParsePasswdAndGroup(t *testing.T) {
	users, notes := parsePasswd("root:x:0:0:root:/root:/bin/bash\n# x\nbad line\n+::::::\nadmin:x:1000:1000::/home/admin:/bin/bash\nadmin:x:1:1::/:/bin/sh\nd:x:5:60:games:/usr/games:/usr/sbin/nologin\n")
	if len(users) != 3 || users[1].home != "/home/admin" || users[1].at.Line != 5 || users[1].logsIn() != true || users[2].logsIn() {
		t.Errorf("%+v", users)
	}
	if len(notes) != 2 {
		t.Errorf("notes %q", notes)
	}
	members := parseGroup("root:x:0:\nsudo:x:27:admin,ops\nwheel:x:10:admin\nbad\n")
	if got := members["admin"]; len(got) != 2 || got[0].at.Line != 2 || got[1].gid != 10 || len(members["ops"]) != 1 || len(members) != 2 {
		t.Errorf("%v", members)
	}
}

func TestParseHosts(t *testing.T) {
	names := parseHosts("127.0.0.1 localhost # loop\n10.0.0.3\tLDAP.acme.private ldap\n10.0.0.4\n# 10.0.0.5 no\n")
	if !names["ldap.acme.private"] || !names["ldap"] || names["no"] || len(names) != 3 {
		t.Errorf("%v", names)
	}
}
