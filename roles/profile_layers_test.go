package roles

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/userdata"
)

const mysqlRole = `role: mysql
vars: {product: acme}
identity: {domain: "${product}.private"}
resolver:
  nameservers: [10.0.0.2, 10.0.1.2]
  search: [acme.private]
  timeout: 2s
directory:
  uris: [ldaps://ldap.acme.private]
  base: dc=acme,dc=private
  break_glass: ubuntu
ganglia: {cluster: mysql, port: 8631, collectors: [10.0.0.4]}
`

// Each layer is stronger than the one before it, whatever the form.
func TestLaterLayersOverride(t *testing.T) {
	mayTimeout := "tags_may_set: [resolver.timeout]\n"
	tests := []struct {
		name   string
		tag    string
		user   string
		local  string
		want   time.Duration
		layer  Layer
		source string
	}{
		{"role file", "", "role=mysql", "", 2 * time.Second, RoleFile, "mysql.yaml"},
		{"tag", "3s", "role=mysql", mayTimeout, 3 * time.Second, Tags, "tag reveille:resolver.timeout"},
		{"user-data", "3s", "role=mysql\nresolver.timeout=4s", mayTimeout, 4 * time.Second, UserData, "user-data"},
		{"local", "3s", "role=mysql\nresolver.timeout=4s", mayTimeout + "resolver: {timeout: 5s}", 5 * time.Second, Local, "local.yaml"},
		{"null in local", "3s", "role=mysql\nresolver.timeout=4s", mayTimeout + "resolver: {timeout: null}", time.Second, Local, "local.yaml"},
		{"tag that is not allowed", "3s", "role=mysql", "", 2 * time.Second, RoleFile, "mysql.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := machine(says(tt.user))
			if tt.tag != "" {
				tagged("reveille:resolver.timeout", tt.tag)(&f)
			}
			p := mustResolve(t, f, role("mysql", mysqlRole), local(tt.local))
			if p.Resolver.Timeout != tt.want {
				t.Errorf("timeout %s, want %s", p.Resolver.Timeout, tt.want)
			}
			var last Setting
			for _, s := range p.Settings {
				if s.Key == "resolver.timeout" && !s.Over && s.Layer != Defaults {
					last = s
				}
			}
			if last.Layer != tt.layer || last.Name != tt.source {
				t.Errorf("set by %s %s, want %s %s", last.Layer, last.Name, tt.layer, tt.source)
			}
		})
	}
}

func TestMapsMergeListsReplace(t *testing.T) {
	p := mustResolve(t, machine(part("part 1", userdata.YAML, `#reveille
role: mysql
vars: {team: data}
resolver: {search: [other.private]}
directory: {access: {hosts: true}}
`)), role("mysql", mysqlRole))
	if p.Vars["product"] != "acme" || p.Vars["team"] != "data" {
		t.Errorf("vars did not merge: %v", p.Vars)
	}
	if !slices.Equal(p.Resolver.Search, []string{"other.private"}) {
		t.Errorf("a list is replaced whole, got %v", p.Resolver.Search)
	}
	if len(p.Resolver.Nameservers) != 2 || p.Resolver.Timeout != 2*time.Second || !p.Directory.AccessHosts {
		t.Errorf("other keys changed: %+v %+v", p.Resolver, p.Directory)
	}
}

func TestNullTakesASectionAway(t *testing.T) {
	p := mustResolve(t, machine(says("role=mysql")), role("mysql", mysqlRole), local("directory: null\nganglia:\n"))
	if p.Directory != nil || p.Ganglia != nil || p.Resolver == nil {
		t.Errorf("got directory %v, ganglia %v, resolver %v", p.Directory, p.Ganglia, p.Resolver)
	}
	contains(t, p.Why("directory"), "local file local.yaml:1")
}

// Below what null took away a stronger layer may begin anew; it then needs all
// that the section needs.
func TestSectionBegunAnewIsWhole(t *testing.T) {
	_, err := Resolve(machine(part("user-data", userdata.YAML, "#reveille\nrole: mysql\nganglia: null\n")),
		[]Source{role("mysql", mysqlRole), local("ganglia: {port: 9000}")})
	refused(t, err, "local.yaml:1:10: ganglia.cluster is missing", "ganglia.collectors is missing")
}

func TestUserDataAloneMayAskForASection(t *testing.T) {
	_, err := Resolve(machine(says("hostname=dev01", "resolver.timeout=2s")), nil)
	refused(t, err, "user-data:2:1: resolver.nameservers is missing")
	p := mustResolve(t, machine(says("hostname=dev01", "resolver.nameservers=10.0.0.2, 10.0.1.2")))
	if !slices.Equal(p.Resolver.Nameservers, []string{"10.0.0.2", "10.0.1.2"}) || p.Resolver.Attempts != 1 || p.Resolver.Timeout != time.Second {
		t.Errorf("got %+v", p.Resolver)
	}
}

func TestHostNameAloneIsAWholeProfile(t *testing.T) {
	p := mustResolve(t, machine(says("hostname=dev-mysql01")))
	if p.Identity.Hostname != "dev-mysql01" || p.Role != "" || p.Resolver != nil || p.Directory != nil || p.Ganglia != nil || p.Coordinator != nil {
		t.Errorf("got %+v", p)
	}
	contains(t, p.Chosen, "no layer names a role")
}

func TestNames(t *testing.T) {
	text := func(values ...string) string {
		return "role: web\nvars: {product: acme, where: \"${region}\", dollar: \"$${region}\"}\n" + strings.Join(values, "\n")
	}
	tests := []struct{ name, text, want string }{
		{"var", `identity: {domain: "${product}.private"}`, "acme.private"},
		{"var with a name in it", `identity: {domain: "${where}.private"}`, "us-east-1.private"},
		{"builtin", `identity: {domain: "${zone}.private"}`, "us-east-1a.private"},
		{"host name", `identity: {hostname: web01, domain: "${hostname}.private"}`, "web01.private"},
		{"host name of IMDS", `identity: {domain: "${hostname}"}`, "ip-10-0-0-10.ec2.internal"},
		{"twice", `identity: {domain: "${product}-${product}.private"}`, "acme-acme.private"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustResolve(t, machine(says("role=web")), role("web", text(tt.text)))
			if p.Identity.Domain != tt.want {
				t.Errorf("got %q, want %q", p.Identity.Domain, tt.want)
			}
			if p.Vars["dollar"] != "${region}" {
				t.Errorf("what $$ made was looked at again: %q", p.Vars["dollar"])
			}
		})
	}
}

func TestNamesThatCannotBeFilled(t *testing.T) {
	noIP := machine(says("role=web"), func(f *facts.Facts) { f.Instance.PrivateIP = facts.Absent[string]() })
	_, err := Resolve(noIP, []Source{role("web", "role: web\nresolver: {nameservers: [\"${private_ip}\"]}\n")})
	refused(t, err, "web.yaml:2:26:", "private IPv4 address, and it has none")
	_, err = Resolve(machine(says("role=web", "vars.product=a_b")), []Source{role("web", "role: web\nvars: {product: acme}\nidentity: {domain: \"${product}.private\"}\n")})
	refused(t, err, "web.yaml:3:12:", "underscore", "filled in from")
}

func TestListsByPlace(t *testing.T) {
	text := `role: web
resolver:
  nameservers:
    us-east-1a: [10.0.0.2, 10.0.0.3]
    us-east-1: [10.0.1.2, 10.0.1.3]
    us-west-2: [10.9.0.2]
`
	p := mustResolve(t, machine(says("role=web")), role("web", text))
	if want := []string{"10.0.0.2", "10.0.0.3", "10.0.1.2"}; !slices.Equal(p.Resolver.Nameservers, want) {
		t.Errorf("got %v, want %v", p.Resolver.Nameservers, want)
	}
	contains(t, strings.Join(p.Notes, "\n"), "10.0.1.3 left out")
	elsewhere := machine(says("role=web"), func(f *facts.Facts) {
		f.Instance.Region, f.Instance.Zone = facts.Known("eu-west-1"), facts.Known("eu-west-1a")
	})
	_, err := Resolve(elsewhere, []Source{role("web", text)})
	refused(t, err, "eu-west-1a", "no default")
	// One place of the map is replaced, the others stay; a list replaces the map.
	p = mustResolve(t, machine(says("role=web", "resolver.nameservers.us-east-1a=10.1.1.1")), role("web", text))
	if want := []string{"10.1.1.1", "10.0.1.2", "10.0.1.3"}; !slices.Equal(p.Resolver.Nameservers, want) {
		t.Errorf("got %v, want %v", p.Resolver.Nameservers, want)
	}
	p = mustResolve(t, machine(says("role=web")), role("web", text), local("resolver: {nameservers: [10.2.2.2]}"))
	if want := []string{"10.2.2.2"}; !slices.Equal(p.Resolver.Nameservers, want) {
		t.Errorf("got %v, want %v", p.Resolver.Nameservers, want)
	}
}

// A document within the bounds may still hold thousands of names.
func TestManyNamesAreRefusedSoon(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "vars.a%d=${b%d}\n", i, i)
	}
	parts := func(f *facts.Facts) {
		for i := range 16 {
			part(fmt.Sprintf("part %d", i+1), userdata.KeyValue, b.String())(f)
		}
	}
	_, err := Resolve(machine(parts), nil)
	refused(t, err, "3000 names in vars are too many: at most 200 are taken")
}
