package roles

import (
	"path/filepath"
	"testing"

	"reveille/bootstrap/userdata"
)

func explained(t *testing.T) Profile {
	t.Helper()
	return mustResolve(t,
		machine(part("part 2", userdata.YAML, "#reveille\nrole: mysql\nhostname: dev-mysql01\nresolver: {timeout: 3s}\n"),
			tagged("hostname", "other", "reveille:resolver.nameservers", "10.9.0.2")),
		Source{RoleFile, "/etc/reveille/roles.d/mysql.yaml", []byte(mysqlRole)},
		Source{Local, "/etc/reveille/local.yaml", []byte("tags_may_set: [resolver.nameservers]\nresolver: {timeout: 4s, search: null}\nganglia: null\n")})
}

// The whole text is what a person reads at three in the morning.
func TestExplain(t *testing.T) {
	p := explained(t)
	for _, key := range []string{"resolver.timeout", "resolver", "hostname", "role", "identity", "ganglia", "vars", ""} {
		text, err := p.Explain(key)
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
		name := key
		if key == "" {
			name = "all"
		}
		golden(t, filepath.Join("testdata", "explain", name+".txt"), text)
	}
}

func TestExplainNamesTheNearestKey(t *testing.T) {
	for key, want := range map[string]string{
		"resolver.timout":    "did you mean resolver.timeout?",
		"timeout":            "did you mean resolver.timeout?",
		"resolver.timeout.x": "holds a value",
		"storage.raid.a.lvl": "did you mean storage.raid.a.level?",
		"storage.raid.a.b.c": "no key \"storage.raid.a.b\"",
		"directory.password": "directory.password_file",
	} {
		if _, err := explained(t).Explain(key); err == nil {
			t.Errorf("%s was explained", key)
		} else {
			contains(t, err.Error(), want)
		}
	}
}

func TestWhy(t *testing.T) {
	p := explained(t)
	for key, want := range map[string]string{
		"resolver.timeout":     "resolver.timeout from local file /etc/reveille/local.yaml:2",
		"resolver.nameservers": "resolver.nameservers from tag reveille:resolver.nameservers",
		"hostname":             "identity.hostname from user-data part 2:3",
		"directory.base":       "directory.base from role file /etc/reveille/roles.d/mysql.yaml:10",
		"directory":            "directory from role file /etc/reveille/roles.d/mysql.yaml:9",
		"resolver.attempts":    "resolver.attempts by default",
		"resolver.search":      "resolver.search from local file /etc/reveille/local.yaml:2",
		"resolver":             "resolver from tag reveille:resolver.nameservers, local file /etc/reveille/local.yaml:2",
		"coordinator":          "coordinator is set by no layer",
	} {
		if got := p.Why(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestLookupIsTheSameAsData(t *testing.T) {
	all, err := explained(t).Lookup("resolver.timeout")
	if err != nil || len(all) != 1 {
		t.Fatalf("%v %v", all, err)
	}
	e := all[0]
	if e.Value != "4s" || e.From != "local file /etc/reveille/local.yaml:2" || len(e.Over) != 3 {
		t.Fatalf("got %+v", e)
	}
	want := []OverSet{{"3s", "user-data part 2:4"}, {"2s", "role file /etc/reveille/roles.d/mysql.yaml:7"}, {"1s", "default"}}
	for i, o := range e.Over {
		if o != want[i] {
			t.Errorf("overrides %+v, want %+v", o, want[i])
		}
	}
}

func TestKnownKey(t *testing.T) {
	for key, want := range map[string]bool{
		"hostname": true, "role": true, "resolver": true, "resolver.timeout": true, "vars.product": true,
		"resolver.nameservers.us-east-1a": true, "directory.access.hosts": true, "match.tags.a.b": true,
		"storage": true, "storage.raid.data": true, "storage.raid.data.level": true, "directory.bindpw": true,
		"storage.volumes.data.tags.a.b": true, "storage.lvm.db.volumes.mysql": true, "storage.lvm.db.volumes.mysql.size": true,
		"storage.raid.data.x": false, "storage.raid.a.b.level": false, "storage.lvm.db.volumes.mysql.size.x": false, "storage.raid.": false,
		"": false, "HOSTNAME": false, "PATH": false, "resolver.": false, ".": false, "resolver.timeout.": false,
		"resolver.timeout.x": false, "vars.A": false, "resolver.nameservers.x": false, "env": false,
	} {
		if got := KnownKey(key); got != want {
			t.Errorf("%q: %v, want %v", key, got, want)
		}
	}
}
