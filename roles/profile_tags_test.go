package roles

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/userdata"
)

// Anyone who may tag may steer, so what a tag may do is a short list.
func TestTags(t *testing.T) {
	tests := []struct {
		name, key, value string
		local            string
		host             string // the host's name that comes of it
		note             string // part of a note; "" for none
	}{
		{"hostname", "hostname", "dev01", "", "dev01", ""},
		{"hostname that is none", "hostname", "dev_01", "", "", "tag hostname is passed over: \"dev_01\" is no host name: an underscore"},
		{"hostname that every machine has", "hostname", "localhost", "", "", "tag hostname is passed over: \"localhost\" is every machine's name"},
		{"hostname with a name to fill in", "hostname", "${region}", "", "", "tag hostname is passed over"},
		{"empty role", "role", "", "", "", "tag role is passed over"},
		{"Name, unasked", "Name", "dev01", "", "", ""},
		{"Name, asked", "Name", "dev01", "identity: {hostname_tag: Name}", "dev01", ""},
		{"Name, asked, but words", "Name", "my machine", "identity: {hostname_tag: Name}", "", "tag Name is passed over"},
		{"a key that is not allowed", "reveille:hostname", "dev01", "", "", "tags_may_set in the local file does not list hostname"},
		{"a key that is allowed", "reveille:identity.hostname", "dev01", "tags_may_set: [identity.hostname]", "dev01", ""},
		{"its short name", "reveille:hostname", "dev01", "tags_may_set: [identity.hostname]", "dev01", ""},
		{"its section", "reveille:identity.hostname", "dev01", "tags_may_set: [identity]", "dev01", ""},
		{"no key", "reveille:hostnam", "dev01", "", "", "did you mean hostname?"},
		{"pause", "reveille:pause", "until Monday", "", "", `tag reveille:pause is set: "until Monday"`},
		{"volume layout", "reveille:array", "data", "", "", "read from volumes"},
		{"reserved", "reveille:storage.raid", "x", "", "", "tag reveille:storage.raid is passed over"},
		{"bare key", "resolver.timeout", "9s", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustResolve(t, machine(tagged(tt.key, tt.value)), local(tt.local))
			if p.Identity.Hostname != tt.host {
				t.Errorf("host name %q, want %q", p.Identity.Hostname, tt.host)
			}
			switch notes := strings.Join(p.Notes, "\n"); {
			case tt.note == "" && notes != "":
				t.Errorf("a note for nothing: %s", notes)
			default:
				contains(t, notes, tt.note)
			}
		})
	}
}

func TestTagHostnameBeatsTheRolesOwnTag(t *testing.T) {
	p := mustResolve(t, machine(tagged("hostname", "one", "Name", "two")), local("identity: {hostname_tag: Name}"))
	if p.Identity.Hostname != "one" {
		t.Errorf("got %q", p.Identity.Hostname)
	}
}

func TestAllowedTagIsReadByItsType(t *testing.T) {
	may := local("tags_may_set: [resolver]")
	p := mustResolve(t, machine(tagged("reveille:resolver.nameservers", "10.0.0.2, 10.0.1.2", "reveille:resolver.attempts", "3", "reveille:resolver.rotate", "true")), may)
	if !slices.Equal(p.Resolver.Nameservers, []string{"10.0.0.2", "10.0.1.2"}) || p.Resolver.Attempts != 3 || !p.Resolver.Rotate {
		t.Errorf("got %+v", p.Resolver)
	}
	_, err := Resolve(machine(tagged("reveille:resolver.nameservers", "10.0.0.2", "reveille:resolver.attempts", "9")), []Source{may})
	refused(t, err, "tag reveille:resolver.attempts: resolver.attempts: 9 is not a whole number from 1 to 5")
}

func TestTagsMaySetIsChecked(t *testing.T) {
	for value, want := range map[string]string{
		"resolver.namservers": "did you mean resolver.nameservers?",
		"match":               "can never be set by a tag",
		"match.hostnames":     "can never be set by a tag",
		"tags_may_set":        "can never be set by a tag",
		"storage.raid":        "can never be set by a tag",
		"storage":             "can never be set by a tag",
	} {
		_, err := Resolve(machine(), []Source{local("tags_may_set: [" + value + "]")})
		refused(t, err, "local.yaml:1:16: tags_may_set: ", want)
	}
}

func TestUserDataForms(t *testing.T) {
	tests := []struct {
		name string
		form userdata.Form
		text string
	}{
		{"key=value", userdata.KeyValue, "# fleet\r\n\r\n hostname = dev01 \r\nresolver.nameservers=10.0.0.2,10.0.1.2\r\nresolver.rotate=true"},
		{"yaml", userdata.YAML, "#reveille\nhostname: dev01\nresolver: {nameservers: [10.0.0.2, 10.0.1.2], rotate: true}\n"},
		{"cloud-config", userdata.CloudConfig, "\n\nreveille:\n  hostname: dev01\n  resolver: {nameservers: [10.0.0.2, 10.0.1.2], rotate: true}\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := mustResolve(t, machine(part("part 2", tt.form, tt.text)))
			if p.Identity.Hostname != "dev01" || len(p.Resolver.Nameservers) != 2 || !p.Resolver.Rotate {
				t.Errorf("got %+v %+v", p.Identity, p.Resolver)
			}
			contains(t, p.Why("resolver.rotate"), "resolver.rotate from user-data part 2:")
		})
	}
}

func TestUserDataMistakes(t *testing.T) {
	tests := []struct {
		name string
		form userdata.Form
		text string
		want []string
	}{
		{"key=value", userdata.KeyValue, "hostname=a_b\nresolver.timout=1s\nresolver=x\nhostname=b\nresolver.search=a.b,,c.d\nresolver.attempts=\n  timeout\nmatch.hostnames=a\nstorage.raid=1\nstorage.raid.data.level=3\nstorage.raid.data=1\nstorage.raid.a.b.c=1\nstorage.mounts=x\n",
			[]string{"user-data part 1:1:1: identity.hostname: ", "part 1:2:1: no key \"resolver.timout\": did you mean resolver.timeout?", "part 1:3:1: resolver is a section",
				"part 1:5:1: resolver.search has an empty entry", "part 1:6:1: resolver.attempts is empty", "part 1:7:3: \"timeout\" is not key=value",
				"part 1:8:1: match.hostnames belongs in a role file alone", "part 1:9:1: storage.raid is a section: name a key in it, such as storage.raid.NAME",
				"part 1:10:1: storage.raid.data.level: ", "part 1:11:1: storage.raid.data is a section: name a key in it, such as storage.raid.data.level",
				"part 1:12:1: no key \"storage.raid.a.b\"", "part 1:13:1: storage.mounts is a list of maps"}},
		{"set twice", userdata.KeyValue, "hostname=a\nidentity.hostname=b", []string{"part 1:2:1: identity.hostname is set twice, first at user-data part 1:1"}},
		{"yaml", userdata.YAML, "#reveille\nhostname: 12\nmatch: {hostnames: [a]}", []string{"part 1:2:11: ", "part 1:3:1: match belongs in a role file alone"}},
		{"local keys", userdata.YAML, "#reveille\ntags_may_set: [role]\nrole_required: false", []string{"part 1:2:1: tags_may_set belongs in the local file", "part 1:3:1: role_required belongs"}},
		{"cloud-config", userdata.CloudConfig, "\nreveille: [a]\n", []string{"part 1:2:11: a profile is keys and values"}},
		{"unknown form", userdata.Form("toml"), "x", []string{"part 1: a part of the form \"toml\""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Resolve(machine(part("part 1", tt.form, tt.text)), nil)
			refused(t, err, tt.want...)
		})
	}
}

func TestPartsMayNotDiffer(t *testing.T) {
	one := part("part 1", userdata.KeyValue, "hostname=a\nresolver.nameservers=10.0.0.2")
	_, err := Resolve(machine(one, part("part 2", userdata.YAML, "#reveille\nhostname: b\nresolver: {nameservers: {default: [10.0.0.2]}}\n")), nil)
	refused(t, err, `user-data part 2:2:1: identity.hostname is "b" here, and identity.hostname is "a" at user-data part 1:1`, "user-data part 2:3:", "resolver.nameservers.default")
	_, err = Resolve(machine(part("part 1", userdata.KeyValue, "resolver.nameservers.default=10.0.0.2"), one), nil)
	refused(t, err, "user-data part 1:2:1: resolver.nameservers is ", "resolver.nameservers.default is ")
	p := mustResolve(t, machine(one, part("part 2", userdata.YAML, "#reveille\nhostname: a\nresolver: {timeout: 3s}\n")))
	if p.Identity.Hostname != "a" || p.Resolver.Nameservers[0] != "10.0.0.2" || p.Resolver.Timeout.Seconds() != 3 {
		t.Errorf("parts that agree did not merge: %+v %+v", p.Identity, p.Resolver)
	}
}

func TestBrokenUserDataIsRefused(t *testing.T) {
	f := machine(says("hostname=a"))
	f.UserData.Broken = "part 1: gzip ends early"
	_, err := Resolve(f, nil)
	refused(t, err, "user-data: it cannot be taken apart: part 1: gzip ends early")
}

func TestUserDataThatIsNotOurs(t *testing.T) {
	p := mustResolve(t, machine(part("part 1", userdata.NotOurs, "")))
	if p.Identity.Hostname != "" || len(p.Notes) > 0 {
		t.Errorf("got %+v", p)
	}
}
