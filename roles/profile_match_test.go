package roles

import (
	"errors"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
)

var fleet = []Source{
	role("dev", "role: dev\nmatch: {security_groups: [dev]}\n"),
	role("mysql", "role: mysql\nmatch:\n  tags: {team: \"data*\"}\n  security_groups: [mysql, \"db-*\"]\n"),
	role("kafka", "role: kafka\nmatch: {hostnames: [\"*-kafka[0-9]*\", \"kafka*\"]}\n"),
	role("gateway", "role: gateway\n"),
}

func TestRoleChoice(t *testing.T) {
	imds := func(name string) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Instance.Hostname = facts.Known(name) }
	}
	tests := []struct {
		name         string
		change       []func(*facts.Facts)
		local        string
		want, chosen string
	}{
		{"nothing matches", nil, "", "", "no layer names a role"},
		{"security group", []func(*facts.Facts){grouped("default", "dev")}, "", "dev", "security group dev"},
		{"group is matched whole", []func(*facts.Facts){grouped("devel")}, "", "", ""},
		{"two keys", []func(*facts.Facts){grouped("db-1"), tagged("team", "database")}, "", "mysql", "tag team=database"},
		{"one of two keys is not enough", []func(*facts.Facts){grouped("mysql"), tagged("team", "web")}, "", "", ""},
		{"more keys win", []func(*facts.Facts){grouped("dev", "mysql"), tagged("team", "data")}, "", "mysql", ""},
		{"name from user-data", []func(*facts.Facts){says("hostname=prod-kafka01")}, "", "kafka", "host name prod-kafka01"},
		{"name from a tag", []func(*facts.Facts){tagged("hostname", "KAFKA7")}, "", "kafka", ""},
		{"name from IMDS, by its short form", []func(*facts.Facts){imds("a-kafka1.ec2.internal")}, "", "kafka", ""},
		{"user-data's name hides the others", []func(*facts.Facts){says("hostname=web1"), imds("kafka1")}, "", "", ""},
		{"named by user-data", []func(*facts.Facts){says("role=gateway"), grouped("dev")}, "", "gateway", "user-data:1 names it"},
		{"named by a tag", []func(*facts.Facts){tagged("role", "gateway"), grouped("dev")}, "", "gateway", "tag role names it"},
		{"user-data over tag", []func(*facts.Facts){tagged("role", "dev"), says("role=gateway")}, "", "gateway", "user-data"},
		{"local over all", []func(*facts.Facts){tagged("role", "dev"), says("role=gateway")}, "role: mysql", "mysql", "local file local.yaml:1 names it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustResolve(t, machine(tt.change...), append([]Source{local(tt.local)}, fleet...)...)
			if p.Role != tt.want {
				t.Errorf("role %q, want %q", p.Role, tt.want)
			}
			contains(t, p.Chosen, tt.chosen)
			if p.Role != "" && p.RoleFile != p.Role+".yaml" {
				t.Errorf("role file %q", p.RoleFile)
			}
		})
	}
}

func TestTieNamesBothFiles(t *testing.T) {
	_, err := Resolve(machine(grouped("dev"), says("hostname=kafka1")), fleet)
	refused(t, err, "dev.yaml", "kafka.yaml", "equally well")
}

func TestNamedRoleWithoutAFile(t *testing.T) {
	_, err := Resolve(machine(says("hostname=a", "role=mysq")), fleet)
	refused(t, err, "user-data:2:1: ", `"mysq"`, "did you mean mysql?", "dev, gateway, kafka, mysql")
	_, err = Resolve(machine(tagged("role", "Web Frontend")), fleet)
	refused(t, err, "tag role: ", `"Web Frontend"`)
	_, err = Resolve(machine(says("role=web")), nil)
	refused(t, err, "no role file was found")
}

func TestRoleRequired(t *testing.T) {
	_, err := Resolve(machine(), append([]Source{local("role_required: true")}, fleet...))
	refused(t, err, "local.yaml:1:1: ", "dev.yaml, gateway.yaml, kafka.yaml, mysql.yaml")
	mustResolve(t, machine(grouped("dev")), append([]Source{local("role_required: true")}, fleet...)...)
}

// A role's own tag for the host's name counts when that role is matched by it.
func TestMatchSeesTheTagThatTheRoleNames(t *testing.T) {
	f := machine(tagged("Name", "prod-etcd1"))
	p := mustResolve(t, f, role("etcd", "role: etcd\nmatch: {hostnames: [\"*-etcd*\"]}\nidentity: {hostname_tag: Name}\n"))
	if p.Role != "etcd" || p.Identity.Hostname != "prod-etcd1" {
		t.Errorf("got role %q, host %q", p.Role, p.Identity.Hostname)
	}
	if p := mustResolve(t, f, fleet...); p.Identity.Hostname != "" {
		t.Errorf("Name was honoured unasked: %q", p.Identity.Hostname)
	}
}

// The name that a role file itself gives does not count, or every role would
// match itself.
func TestMatchDoesNotSeeTheRolesOwnName(t *testing.T) {
	p := mustResolve(t, machine(), role("web", "role: web\nmatch: {hostnames: [\"web-*\"]}\nhostname: \"web-${instance_id}\"\n"))
	if p.Role != "" {
		t.Errorf("it matched itself: %s", p.Chosen)
	}
}

func TestUnknownIsNeverAbsent(t *testing.T) {
	timeout := facts.TimedOut
	noGroups := func(f *facts.Facts) { f.Instance.SecurityGroups = facts.Unknown[[]string](timeout, "") }
	noName := func(f *facts.Facts) { f.Instance.Hostname = facts.Unknown[string](timeout, "") }
	noTags := func(f *facts.Facts) { f.Instance.Tags = facts.Unknown[map[string]string](timeout, "") }
	noData := func(f *facts.Facts) { f.UserData.State = facts.Unknown[facts.Digest](timeout, "") }
	tests := []struct {
		name   string
		change []func(*facts.Facts)
		what   string // "": resolved
	}{
		{"user-data", []func(*facts.Facts){noData}, "user-data"},
		{"tags", []func(*facts.Facts){noTags, says("role=gateway")}, "instance tags"},
		{"both", []func(*facts.Facts){noData, noTags}, "user-data"},
		{"security groups that a match looks at", []func(*facts.Facts){noGroups}, "security groups"},
		{"security groups that nobody looks at", []func(*facts.Facts){noGroups, says("role=gateway")}, ""},
		{"the host's name that a match looks at", []func(*facts.Facts){noName}, "host name"},
		{"the host's name where user-data says it", []func(*facts.Facts){noName, says("hostname=kafka1")}, ""},
		{"an equal match may hide", []func(*facts.Facts){noGroups, says("hostname=kafka1")}, "security groups"},
		{"a lesser match may not", []func(*facts.Facts){noName, grouped("mysql"), tagged("team", "data")}, ""},
		// mysql could match by two keys, so one certain key does not settle it.
		{"a better match may hide", []func(*facts.Facts){noGroups, says("hostname=kafka1"), tagged("team", "data")}, "security groups"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Resolve(machine(tt.change...), fleet)
			var unknown *UnknownFact
			if got := errors.As(err, &unknown); got != (tt.what != "") {
				t.Fatalf("got %v", err)
			}
			var bad Errors
			if errors.As(err, &bad) {
				t.Errorf("a fact that could not be read is told as a bad configuration: %v", err)
			}
			if unknown != nil && (unknown.What != tt.what || unknown.Reason != timeout) {
				t.Errorf("got %v", unknown)
			}
		})
	}
}

func TestUnknownNameOrPlace(t *testing.T) {
	f := machine(says("role=web"), func(f *facts.Facts) { f.Instance.Zone = facts.Unknown[string](facts.Throttled, "") })
	for _, text := range []string{
		"role: web\nidentity: {domain: \"${zone}.private\"}\n",
		"role: web\nresolver: {nameservers: {default: [10.0.0.2]}}\n",
	} {
		_, err := Resolve(f, []Source{role("web", text)})
		var unknown *UnknownFact
		if !errors.As(err, &unknown) || unknown.What != "availability zone" || !strings.Contains(err.Error(), "throttled") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// A name that cannot be made is told where a match hangs on it.
func TestMatchByANameThatCannotBeMade(t *testing.T) {
	_, err := Resolve(machine(says("hostname=${product}-kafka1")), fleet)
	refused(t, err, "user-data:1:1: ", "${product} is known nowhere", "match.hostnames of kafka.yaml needs the name")
	p := mustResolve(t, machine(says("hostname=${product}-kafka1", "vars.product=acme")), fleet...)
	if p.Role != "kafka" || p.Identity.Hostname != "acme-kafka1" {
		t.Errorf("role %q, host %q", p.Role, p.Identity.Hostname)
	}
}
