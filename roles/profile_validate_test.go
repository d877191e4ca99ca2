package roles

import (
	"path/filepath"
	"strings"
	"testing"
)

func validated(sources ...Source) string {
	var lines []string
	for _, e := range Validate(sources) {
		lines = append(lines, e.Error())
	}
	return strings.Join(lines, "\n")
}

func TestValidateAllRolesTogether(t *testing.T) {
	ganglia := func(name, cluster, port string) Source {
		return role(name, "role: "+name+"\nvars: {c: "+cluster+"}\nganglia: {cluster: \"${c}\", port: "+port+", collectors: [10.0.0.4]}\n")
	}
	tests := []struct {
		name    string
		sources []Source
		want    []string // none: good
	}{
		{"two roles", []Source{ganglia("a", "a", "8630"), ganglia("b", "b", "8631")}, nil},
		{"one cluster of two roles", []Source{ganglia("a", "x", "8630"), ganglia("b", "x", "8630")}, nil},
		{"one port for two clusters", []Source{ganglia("a", "a", "8630"), ganglia("b", "b", "8630")}, []string{"b.yaml:3:28: port 8630 is used for two clusters", "a.yaml:3"}},
		{"two ports for one cluster", []Source{ganglia("a", "x", "8630"), ganglia("b", "x", "8631")}, []string{"b.yaml:3:28: the cluster x has two ports", "a.yaml:3"}},
		{"one role in two files", []Source{role("a", "role: web"), role("b", "role: web")}, []string{"b.yaml:1:1: the role web is in two files", "a.yaml:1"}},
		{"a certain tie", []Source{role("a", "role: a\nmatch: {security_groups: [x, y]}"), role("b", "role: b\nmatch: {security_groups: [y, x]}")},
			[]string{"b.yaml:2:9: ", "a.yaml:2", "the same"}},
		{"what the local file adds", []Source{role("a", "role: a\nresolver: {timeout: 2s}"), local("resolver: {nameservers: [10.0.0.2]}")}, nil},
		{"the local file's role", []Source{role("mysql", "role: mysql"), local("role: mysq")}, []string{"local.yaml:1:1: ", "did you mean mysql?"}},
		{"the local file's mistakes", []Source{local("match: {hostnames: [a]}\nresolver: {timeout: 0s}")}, []string{"local.yaml:1:1: match belongs in a role file", "local.yaml:2:21: "}},
		{"every file's mistakes at once", []Source{role("b", "role: b\nx: 1"), role("a", "role: a\ny: 1\nhostname: a_b")},
			[]string{"a.yaml:2:1: ", "a.yaml:3:11: ", "b.yaml:2:1: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := validated(tt.sources...)
			if len(tt.want) == 0 && got != "" {
				t.Errorf("refused: %s", got)
			}
			contains(t, got, tt.want...)
		})
	}
}

// Mistakes come in the order of file and line, whatever the order of reading.
func TestMistakesAreSorted(t *testing.T) {
	a, b := role("a", "z: 1\ny: 1\nrole: a"), role("b", "x: 1\nrole: b")
	if one, two := validated(a, b), validated(b, a); one != two || !strings.HasPrefix(one, "a.yaml:1:1") {
		t.Errorf("got\n%s\nand\n%s", one, two)
	}
}

// What a mistake in any role file would do on another machine of the fleet it
// does here too: a machine cannot know that the broken file is not its own.
func TestAnyBrokenRoleFileRefusesThePass(t *testing.T) {
	_, err := Resolve(machine(says("role=a")), []Source{role("a", "role: a"), role("b", "role: b\nresolvr: {}")})
	refused(t, err, "b.yaml:2:1: ")
}

func TestFleet(t *testing.T) {
	all, err := Fleet([]Source{
		role("web", "role: web\nhostname: \"web-${instance_id}\"\nresolver: {nameservers: {us-east-1: [10.0.0.2]}}\nganglia: {cluster: web, port: 8633, collectors: [10.0.0.4]}\n"),
		role("dev", "role: dev\nvars: {c: dev}\nganglia: {cluster: \"${c}\", port: 8630, collectors: [10.0.0.4]}\n"),
		local("ganglia: null"),
	})
	if err != nil || len(all) != 2 {
		t.Fatalf("%v %v", all, err)
	}
	if all[0].Role != "dev" || all[0].Ganglia == nil || all[0].Ganglia.Cluster != "dev" || all[1].Ganglia.Port != 8633 {
		t.Errorf("got %+v, %+v", all[0], all[1])
	}
	_, err = Fleet([]Source{role("web", "role: web\nganglia: {cluster: \"web-${zone}\", port: 8633, collectors: [10.0.0.4]}\n")})
	refused(t, err, "web.yaml:2:11: ganglia.cluster differs from machine to machine")
	_, err = Fleet([]Source{role("web", "role: web\nresolvr: {}\n")})
	refused(t, err, "web.yaml:2:1: ")
}

// The examples are documentation, so they must be right: each file by itself,
// all together, and each role for the machine that its comments tell of.
func TestExamples(t *testing.T) {
	dir := filepath.Join("..", "packaging", "examples")
	sources := readAll(t, RoleFile, filepath.Join(dir, "roles.d", "*.yaml"))
	if got := validated(append(sources, readAll(t, Local, filepath.Join(dir, "local.yaml"))...)...); got != "" {
		t.Fatalf("refused:\n%s", got)
	}
	for _, tt := range exampleMachines {
		t.Run(tt.role, func(t *testing.T) {
			p := mustResolve(t, machine(tt.change...), sources...)
			if p.Role != tt.role || p.Identity.Hostname != tt.host {
				t.Errorf("role %q, host %q; want %q, %q (%s)", p.Role, p.Identity.Hostname, tt.role, tt.host, p.Chosen)
			}
		})
	}
	if len(exampleMachines) != len(sources) {
		t.Errorf("%d machines for %d example roles", len(exampleMachines), len(sources))
	}
}
