package logins

import (
	"fmt"
	"testing"
)

// glibc's round, and what a name costs: the documented cases, and two that were
// measured (`getent hosts` asks for the name twice, once for each family).
func TestResolverRounds(t *testing.T) {
	for _, tt := range []struct {
		timeout, attempts int
		one, two, three   int
	}{
		{5, 2, 10, 20, 28},
		{1, 1, 1, 2, 3},
		{1, 2, 2, 4, 6},
		{2, 1, 2, 4, 5},
	} {
		for n, want := range map[int]int{1: tt.one, 2: tt.two, 3: tt.three} {
			text := fmt.Sprintf("options timeout:%d attempts:%d\nsearch acme.private\n", tt.timeout, tt.attempts)
			for i := range n {
				text += fmt.Sprintf("nameserver 10.0.0.%d\n", i+1)
			}
			c, _ := parseResolv(text, "")
			if got := c.round(); got != want {
				t.Errorf("%d/%d, %d servers: a round of %d s, want %d", tt.timeout, tt.attempts, n, got, want)
			}
			if got := c.query("ldap.acme.private", AllDown); got != 2*want {
				t.Errorf("a name without a dot at its end: %d s, want %d", got, 2*want)
			}
			if got := c.query("ldap.acme.private.", AllDown); got != want {
				t.Errorf("a name with a dot at its end: %d s, want %d", got, want)
			}
		}
	}
	defaults, _ := parseResolv("nameserver 10.0.0.1\n", "db01")
	if got := 2 * defaults.query("ldap.acme.private", AllDown); got != 20 {
		t.Errorf("getent hosts with the defaults was measured to take 20 s, and takes %d", got)
	}
	short, _ := parseResolv("nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:1 attempts:1\n", "db01")
	if got := 2 * short.query("ldap.acme.private", AllDown); got != 4 {
		t.Errorf("getent hosts with two servers and 1/1 was measured to take 4 s, and takes %d", got)
	}
	stub, _ := parseResolv("nameserver 127.0.0.53\noptions edns0 trust-ad\n", "db01")
	if got := 2 * stub.query("ldap.acme.private", AllDown); got != 20 {
		t.Errorf("resolved's stub with two dead servers was measured to take 20 s, and takes %d", got)
	}
}

func TestResolverStates(t *testing.T) {
	two, _ := parseResolv("nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:3 attempts:2 rotate ndots:2\nsearch a b c\n", "")
	one, _ := parseResolv("nameserver 10.0.0.1\noptions timeout:0 attempts:1 single-request\n", "")
	for _, tt := range []struct {
		c    resolvConf
		name string
		s    Servers
		want int
	}{
		{two, "x.y.z", AllUp, 0},
		{two, "x.y.z", OneDown, 3},
		{two, "x.y.z", AllHung, 24},
		{two, "x.y.z", AllSlow, 12},
		{two, "x.y", AllSlow, 48}, // below ndots: each of the search list says no first
		{one, "x.y", OneDown, 1},
		{one, "x.y", AllSlow, 2},
	} {
		if got := tt.c.query(tt.name, tt.s); got != tt.want {
			t.Errorf("%s, %s: %d s, want %d", tt.name, tt.s, got, tt.want)
		}
	}
}

func TestHostsSources(t *testing.T) {
	for name, tt := range map[string]struct {
		hosts, nss string
		resolved   bool
		want       int
	}{
		"glibc":                  {"", "files dns", true, 10},
		"in the file":            {"10.0.0.3 ldap.acme.private\n", "files dns", true, 0},
		"in the file, too late":  {"10.0.0.3 ldap.acme.private\n", "dns files", true, 10},
		"resolved and no more":   {"", "files resolve [!UNAVAIL=return] dns", true, 120},
		"resolved, then glibc":   {"", "resolve dns", true, 130},
		"resolved is not there":  {"", "files resolve [!UNAVAIL=return] dns", false, 10},
		"mdns says nothing":      {"", "files mdns4_minimal [NOTFOUND=return] dns", false, 10},
		"nobody":                 {"", "files", false, 0},
		"files says no, and end": {"", "files [NOTFOUND=return] dns", false, 0},
	} {
		m := newLoginMachine(Login{Files: map[string]string{
			"/etc/hosts": tt.hosts, nsswitchPath: "hosts: " + tt.nss + "\n",
			resolvPath: "nameserver 10.0.0.2\n", "/etc/hostname": "db01",
		}, Running: Running{Resolved: tt.resolved}})
		if got, _ := m.nameLookup("LDAP.acme.private", AllDown); got != secs(tt.want) {
			t.Errorf("%s: %s, want %d s", name, got, tt.want)
		}
	}
	if got, _ := newLoginMachine(Login{}).nameLookup("10.0.0.3", AllDown); got != (Bound{}) {
		t.Errorf("an address needs no lookup, and takes %s", got)
	}
}
