package roles

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// verdicts is testdata/access/verdicts.json: who is in the directory with which
// host values, and whom each machine lets in. A real directory server is asked
// about the same table in package integration_test.
type verdicts struct {
	Entries map[string][]string
	Hosts   []struct {
		Name, Zone, Region string
		Admits             []string
	}
}

func readVerdicts(t *testing.T) (v verdicts) {
	t.Helper()
	b, err := os.ReadFile("testdata/access/verdicts.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The three clients, each as it wraps what its file says into the search that
// it sends for a user.
var wrappers = []struct {
	client string
	search func(hostRule, string) string
}{
	{"pam_ldap", func(r hostRule, uid string) string {
		return "(&(" + r.pamFilter() + ")(uid=" + ldap.EscapeFilter(uid) + "))"
	}},
	{"nslcd", func(r hostRule, uid string) string {
		return nslcdExpand(r.authzSearch(), map[string]string{"username": ldap.EscapeFilter(uid)})
	}},
	{"sssd", func(r hostRule, uid string) string {
		return "(&(uid=" + ldap.EscapeFilter(uid) + ")(objectclass=posixAccount)" + r.accessFilter() + ")"
	}},
}

// nslcdExpand reads an expression as nslcd does: $NAME is filled in, a
// backslash takes the next character as it is.
func nslcdExpand(expr string, vars map[string]string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\' && i+1 < len(expr):
			i++
			b.WriteByte(expr[i])
		case c == '$':
			end := i + 1
			for end < len(expr) && (expr[end]|0x20 >= 'a' && expr[end]|0x20 <= 'z') {
				end++
			}
			b.WriteString(vars[expr[i+1:end]])
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// matches asks a compiled filter about an entry, as a server would: the
// attributes of this schema compare without case.
func matches(t *testing.T, p *ber.Packet, entry map[string][]string) bool {
	t.Helper()
	switch p.Tag {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(p.Children, func(c *ber.Packet) bool { return !matches(t, c, entry) })
	case ldap.FilterOr:
		return slices.ContainsFunc(p.Children, func(c *ber.Packet) bool { return matches(t, c, entry) })
	case ldap.FilterEqualityMatch:
		attr, value := p.Children[0].Data.String(), p.Children[1].Data.String()
		return slices.ContainsFunc(entry[strings.ToLower(attr)], func(v string) bool { return strings.EqualFold(v, value) })
	}
	t.Fatalf("a %s in a filter that should compare whole values only", ldap.FilterMap[uint64(p.Tag)])
	return false
}

func TestAccessVerdicts(t *testing.T) {
	v := readVerdicts(t)
	for _, h := range v.Hosts {
		rule := newHostRule(h.Name, h.Zone, h.Region)
		for _, w := range wrappers {
			for uid, hosts := range v.Entries {
				search := w.search(rule, uid)
				p, err := ldap.CompileFilter(search)
				if err != nil {
					t.Fatalf("%s on %s: %s: %v", w.client, h.Name, search, err)
				}
				entry := map[string][]string{"uid": {uid}, "objectclass": {"posixAccount"}, "host": hosts}
				want := slices.Contains(h.Admits, uid)
				if got := matches(t, p, entry); got != want {
					t.Errorf("%s on %s in %s: %s with host %q let in: %v, want %v", w.client, h.Name, h.Zone, uid, hosts, got, want)
				}
			}
		}
	}
}

func TestHostRuleWords(t *testing.T) {
	tests := map[string]struct {
		name, zone, region string
		want               hostRule
	}{
		"all known": {"dev-mysql01", "us-east-1b", "us-east-1", hostRule{
			"dev-mysql01", "dev-mysql01.us-east-1b", "dev-mysql01.us-east-1",
			"dev-mysql*", "dev-mysql*.us-east-1b", "dev-mysql*.us-east-1",
			"*.us-east-1b", "*.us-east-1", "us-east-1b", "us-east-1", "*",
		}},
		"no place":         {"web1", "", "", hostRule{"web1", "web*", "*"}},
		"no name":          {"", "us-east-1b", "us-east-1", hostRule{"*.us-east-1b", "*.us-east-1", "us-east-1b", "us-east-1", "*"}},
		"digits alone":     {"2024", "", "", hostRule{"2024", "*"}},
		"no end digits":    {"gw", "", "", hostRule{"gw", "gw*", "*"}},
		"digits elsewhere": {"r5-db10a", "", "", hostRule{"r5-db10a", "r5-db10a*", "*"}},
		"nothing known":    {"", "", "", hostRule{"*"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, newHostRule(tt.name, tt.zone, tt.region)); d != "" {
				t.Error(d)
			}
		})
	}
}

// pam_ldap cuts its search at 1,023 bytes and then lets nobody in.
func TestLongestRuleFitsPamLDAP(t *testing.T) {
	rule := newHostRule(strings.Repeat("n", 62)+"1", "ap-southeast-2-per-1a", "ap-southeast-2")
	search := wrappers[0].search(rule, strings.Repeat("u", 32))
	if len(search) > 1023 {
		t.Errorf("%d bytes: %s", len(search), search)
	}
}

// FuzzHostRule holds that no name or place, however it came in, can say more in
// a filter than the values it stands for.
func FuzzHostRule(f *testing.F) {
	f.Add("dev-mysql01", "us-east-1b", "us-east-1")
	f.Add("*", "*", "*")
	f.Add(")(uid=*", "|(a=b)", "\\2a")
	f.Add("$uid", "${username}", "$")
	f.Add("a\nuri ldap://x", "\x00", "\xff\xfe")
	f.Add("é", "名", " ")
	f.Add(`\`, `\\`, `\28`)
	f.Fuzz(func(t *testing.T, name, zone, region string) {
		rule := newHostRule(name, zone, region)
		for _, w := range wrappers {
			p, err := ldap.CompileFilter(w.search(rule, "u"))
			if err != nil {
				t.Fatalf("%s: %v", w.client, err)
			}
			i := slices.IndexFunc(p.Children, func(c *ber.Packet) bool { return c.Tag == ldap.FilterOr })
			if p.Tag != ldap.FilterAnd || i < 0 {
				t.Fatalf("%s: not a conjunction that holds the rule", w.client)
			}
			var got hostRule
			for _, c := range p.Children[i].Children {
				if c.Tag != ldap.FilterEqualityMatch || c.Children[0].Data.String() != "host" {
					t.Fatalf("%s: something else than host=VALUE", w.client)
				}
				got = append(got, c.Children[1].Data.String())
			}
			if !slices.Equal(got, rule) {
				t.Fatalf("%s: %q became %q", w.client, rule, got)
			}
		}
		for _, line := range []string{rule.pamFilter(), rule.authzSearch(), rule.accessFilter()} {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q is not one plain line", line)
			}
		}
	})
}
