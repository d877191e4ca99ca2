package roles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaBlind are the bad files that a JSON Schema of one document cannot
// refuse, each with the reason.
var schemaBlind = map[string]string{
	"aliases.yaml":          "anchors, aliases and explicit types are gone before a schema sees the document",
	"bind.yaml":             "one key needs another in whichever layer",
	"duplicate.yaml":        "a document with a key twice has one of them when a schema sees it",
	"empty.yaml":            "role is needed in a role file alone, and the schema serves every layer",
	"local-only.yaml":       "a schema does not know which layer a document is",
	"missing.yaml":          "what a section needs may stand in another layer",
	"no-role.yaml":          "role is needed in a role file alone, and the schema serves every layer",
	"ready-twice.yaml":      "what is one check is known when names are filled in",
	"work-filled.yaml":      "names are known when all layers are merged",
	"storage-layers.yaml":   "what lies on what is known when all layers are merged",
	"storage-needs.yaml":    "what a section needs may stand in another layer",
	"storage-unchosen.yaml": "another layer may choose the volumes, or count them",
	"storage-scratch.yaml":  "JSON Schema cannot say that of several sets one alone is instance store",
	"two-documents.yaml":    "a schema sees one document at a time",
	"unknown-names.yaml":    "names are known when all layers are merged",
	"nul.yaml":              "not text: no schema sees it",
	"not-utf8.yaml":         "not text: no schema sees it",
	"syntax.yaml":           "not YAML: no schema sees it",
	"tab.yaml":              "not YAML: no schema sees it",
	"deep.yaml":             "the bound on depth is the reader's own; the schema refuses it for its type only if it is read",
}

func corpus(t *testing.T, kind string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s files: %v", kind, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

func TestGoodFilesAreTaken(t *testing.T) {
	for name, data := range corpus(t, "good") {
		for _, e := range Validate([]Source{{RoleFile, name, data}}) {
			t.Error(e)
		}
	}
}

func TestBadFilesAreRefusedAtTheirPlaces(t *testing.T) {
	for name, data := range corpus(t, "bad") {
		var got strings.Builder
		for _, e := range Validate([]Source{{RoleFile, name, data}}) {
			if e.File != name || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Errorf("%s: an error without a place or words: %+v", name, e)
			}
			got.WriteString(e.Error() + "\n")
		}
		want := filepath.Join("testdata", "corpus", "bad", strings.TrimSuffix(name, ".yaml")+".want")
		golden(t, want, got.String())
		if got.Len() == 0 {
			t.Errorf("%s was taken", name)
		}
	}
}

// golden compares with a file, or writes it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// The JSON Schema and the decoder come from one table; this holds what each
// makes of it to one verdict.
func TestSchemaAndDecoderAgree(t *testing.T) {
	schema := compiledSchema(t)
	for name, data := range corpus(t, "good") {
		if err := schema.Validate(asJSON(t, name, data)); err != nil {
			t.Errorf("%s: the decoder takes it, the schema does not: %v", name, err)
		}
	}
	for name, data := range corpus(t, "bad") {
		if schemaBlind[name] != "" {
			continue
		}
		if err := schema.Validate(asJSON(t, name, data)); err == nil {
			t.Errorf("%s: the decoder refuses it, the schema does not", name)
		}
	}
	for name := range schemaBlind {
		if _, err := os.Stat(filepath.Join("testdata", "corpus", "bad", name)); err != nil {
			t.Errorf("an exception for a file that is not there: %v", err)
		}
	}
}

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat() // formats are notes by default; editors assert them
	if err := c.AddResource("profile.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("profile.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a document as a schema sees it.
func asJSON(t testing.TB, name string, data []byte) any {
	t.Helper()
	root, errs := parseDocument(name, data)
	if len(errs) > 0 {
		t.Fatalf("%s: %v in %q", name, errs, data)
	}
	return root.plain()
}

func (n *docNode) plain() any {
	switch n.shape {
	case isNull:
		return nil
	case isText:
		return n.text
	case isBool:
		return n.text == "true"
	case isList:
		out := []any{}
		for _, it := range n.items {
			out = append(out, it.plain())
		}
		return out
	case isMap:
		out := map[string]any{}
		for _, p := range n.pairs {
			out[p.key.text] = p.value.plain()
		}
		return out
	}
	return json.Number(n.text)
}

// The schema is the same bytes each time, and is kept in the tree for editors.
func TestSchemaFile(t *testing.T) {
	golden(t, filepath.Join("testdata", "schema.json"), string(JSONSchema()))
	if !bytes.Equal(JSONSchema(), JSONSchema()) {
		t.Error("two schemas differ")
	}
}

// Each bad entry must be refused by itself, also by the schema: in a corpus
// file one bad entry would hide behind another.
func TestSchemaAndDecoderAgreeOnValues(t *testing.T) {
	schema := compiledSchema(t)
	cases := map[string][]string{ // key: values, as YAML
		"hostname: %s": {"a", "dev-mysql01", "a.b.c", "a_b", "-a", "a-", "a.", ".a", "a..b", `"12"`, "a.12", "12.a", `""`,
			strings.Repeat("a", 63), strings.Repeat("a", 64), `"a b"`, "A", "é", `"${region}"`, `"$${region}"`, `"a$"`},
		"identity: {hostname_tag: %s}":              {"Name", `"a b"`, "a:b", `"${x}"`},
		"resolver: {timeout: %s}":                   {"1s", "30s", "31s", "0s", "01s", "1", "1m", "1000ms", "-1s", `""`, `"${t}"`},
		"resolver: {attempts: %s}":                  {"1", "5", "6", "0", "-1", "1.5", `"1"`, "a", `"${n}"`},
		"resolver: {rotate: %s}":                    {"true", "false", "yes", `"true"`, "1", `"${b}"`},
		"resolver: {nameservers: [%s]}":             {"10.0.0.2", `"fd00::2"`, `"::1"`, `"::"`, `"ff02::1"`, `"ff::1"`, `"::ffff:10.0.0.2"`, "224.0.0.1", "239.1.1.1", "0.0.0.0", "255.255.255.255", "223.255.255.255", "10.0.0", "10.0.0.256", "010.0.0.1", `"fe80::1%eth0"`, `"fd00::2::3"`, `"g::1"`, "x"},
		"resolver: {nameservers: {%s: [10.0.0.2]}}": {"default", "us-east-1", "us-east-1a", "us-east-1ab", "us", "US-EAST-1", "other"},
		"directory: {base: %s}":                     {`"dc=acme"`, `"dc=acme,dc=b"`, "acme", `""`, `"=x"`},
		"directory: {client: %s}":                   {"auto", "sssd", "SSSD", "ldap"},
		"directory: {break_glass: %s}":              {"ubuntu", "ec2-user", "Root", "a:b", "0a", `"a b"`},
		"directory: {password_file: %s}":            {"/a", "/a/b", "/a.b/..c", "a", "/", "//a", "/a/", "/a/./b", "/a/../b", "/a/..", `"/a\nb"`, `""`},
		"directory: {uris: [%s]}":                   {"ldap://a", "ldaps://a.b:636", `"ldapi://"`, "ldapi://%2Frun%2Fx", "ldapi://run", "ldap://", "ldap://a/", "ldap://a/b", `"ldap://a?b"`, `"ldap://a#b"`, "ldap://u@a", "LDAP://a", "http://a", "ldap:a", "a", `"ldaps://[fd00::1]"`, `"ldap://a:"`, `"ldap://a:0"`},
		"coordinator: {urls: [%s]}":                 {"https://a", "https://a:1/b/c", "http://a", "http://127.0.0.1", "http://localhost:80", `"http://[::1]:1"`, "http://127.0.0.1.evil.com", "ftp://a", `"https://a?b"`, `"https://a/b?c"`, "https://u:p@a", "https://", "a"},
		"ganglia: {cluster: %s}":                    {"web", `"a b"`, `" a"`, `"a "`, `"a\"b"`, `""`, "12"},
		"ganglia: {port: %s}":                       {"1", "65535", "65536", "0", "8.5", "x"},
		"vars: {%s: x}":                             {"a", "a_b", "A", "1a", "a-b"},
		"vars: {a: %s}":                             {"x", `""`, `"a\tb"`, "1", "true", `"$$"`, `"${"`},
		"match: {hostnames: [%s]}":                  {"a", `"*"`, `""`, `"${x}*"`, "12"},
		"match: {tags: {a: %s}}":                    {"a", "[a, b]", "[]", "[a, a]", "{}", "1"},
		"role: %s":                                  {"web", `"a b"`, `""`, "-a", "12", `"${x}"`},
		"services: %s":                              {"[mysql.service]", "[mysql]", "[a@.service]", "[a@b.service]", "[a.timer, b.socket]", "[a.mount]", "[a.service, a.service]", "mysql.service", "[]", "null", `["a b.service"]`, `["../a.service"]`, `["${x}.service"]`, "[1]"},
		"scripts: {startup: %s}":                    {"[/a]", "[a]", "[]", "/a", "[/a, /a]", "[/a/../b]"},
		"scripts: {startup_timeout: %s}":            {"1s", "90s", "3600s", "3601s", "0s", "1m", "60m", "61m", "1h", "2h", "1m30s", "90", "500ms", `""`},
		"scripts: {shutdown_timeout: %s}":           {"20s", "60s", "61s", "1m"},
		"scripts: %s":                               {"{}", "null", "[]", "{startups: []}"},
		"ready: %s":                                 {"[]", "null", "{tcp: \"a:1\"}", "[a]", "[{}]", "[{timeout: 1m}]", "[{tcp: \"a:1\", file: /a}]", "[{tpc: \"a:1\"}]", "[{file: /a}, {file: /a}]", "[{file: null}]", "[{file: /a, timeout: null}]", "[[]]", "[{file: /a, timeout: 5m}]"},
		"ready: [{tcp: %s}]":                        {`"127.0.0.1:3306"`, `"[::1]:1"`, `"db.acme.private:1"`, `":3306"`, `"127.0.0.1"`, `"127.0.0.1:"`, `"127.0.0.1:0"`, "3306", `"a:b"`, `"::1:1"`, `"${private_ip}:1"`},
		"ready: [{http: %s}]":                       {"http://127.0.0.1:8080/health", "https://a", "ftp://a", "http://u:p@a", `"http://a/b?c"`, "127.0.0.1:80", `"http://[::1]/x"`},
		"ready: [{unit: %s}]":                       {"a.service", "a.mount", "a.target", "a", "a@.service"},
		"ready: [{command: %s}]":                    {"[/a]", "[/a, b, b]", "[a]", "[]", "/a", "[/a, \"x\\ny\"]", "[/a, 1]", `["${x}"]`, `[/a, "${x}"]`},
		"storage: {wait: %s}":                       {"1m", "90", "2h"},
		"storage: {volumes: %s}":                    {"{}", "null", "[]", "{a: {}}", "{a: null}", "{a.b: {}}", "{a: []}", "{-a: {}}", "{a: {x: 1}}"},
		"storage: {volumes: {a: {tags: %s}}}":       {"{a: b}", "{a.b/c: x}", "{a b: x}", `{" a": x}`, "{}", "[a]", "{a: [b]}", "{a: 1}", `{a: ""}`, `{a: "${zone}"}`},
		"storage: {volumes: {a: {ids: [%s]}}}":      {"vol-01234567", "vol-0123456789abcdef0", "vol-0123456789abcdef", "VOL-01234567", "vol-0123456g", "vol-01234567, vol-01234567", "", `"${vars}"`},
		"storage: {volumes: {a: {devices: [%s]}}}":  {"sdf", "/dev/sdf", "xvdf", "xvdba", "sda1", "sdba", "sdabc", "nvme1n1", "/dev/disk/sdf", "sdf0", "sd"},
		"storage: {volumes: {a: {count: %s}}}":      {"1", "64", "0", "65", `"1"`, "-1"},
		"storage: {raid: %s}":                       {"{a: {level: 10, of: x}}", "{0: {}}", "{abcdefghijklmnopqrstuvwxy: {}}", "{abcdefghijklmnopqrstuvwx: {}}"},
		"storage: {raid: {%s}}":                     {listed("r%d: {}", 64), listed("r%d: {}", 65)},
		"storage: {volumes: {a: {ids: [%s]}}}\n":    {listed("vol-%08d", 64), listed("vol-%08d", 65)},
		"storage: {volumes: {a: {tags: {%s}}}}":     {listed("k%d: v", 50), listed("k%d: v", 51)},
		"storage: {raid: {a: {level: %s}}}":         {"0", "1", "4", "5", "6", "10", "raid10", `"10"`},
		"storage: {raid: {a: {of: %s}}}":            {"x", "volumes/x", "volumes/x/y", "raid/x", "/x", "volumes/", "[x]", `"${a}"`},
		"storage: {raid: {a: {chunk: %s}}}":         {"512KiB", "512", "1MiB", "3KiB", "512K"},
		"storage: {raid: {a: {create: %s}}}":        {"never", "if-blank", "yes", "always"},
		"storage: {raid: {a: {degraded: %s}}}":      {"read-only", "start", "refuse", "run"},
		"storage: {lvm: {a: {of: %s}}}":             {"x", "[x, raid/y]", "[]", "lvm/a/b", "[raid/y, raid/y]", "null"},
		"storage: {lvm: {a: {volumes: %s}}}": {"{}", "{a: 80%}", "{a: 20GiB}", "{a: {size: 80%}}", "{a: {}}", "{a: {size: 80%, stripes: 2}}", "{a: {size: 80%, x: 2}}", "{a: null}", "{a: [80%]}",
			"{a: 0%}", "{a: 101%}", "{a: 100%}", "{a: 1.5GiB}", "{a: 20GB}", "{a: 20}", `{a: "20"}`, "{a: 20KiB}", "{a: 07GiB}", "{a.b: 80%}", `{a: "${size}"}`, "{a: {stripes: 0}}", "{a: true}"},
		"storage: {mounts: %s}": {"[]", "null", "{}", "[/data]", "[{}]", "[{path: /data}]", "[{path: /data, from: x, type: xfs}]", "[{path: /data, from: x, type: xfs, fstype: xfs}]",
			"[{path: /data, from: x, type: xfs}, {path: /data, from: x, type: xfs}]", "[{path: /data, from: x, type: xfs, label: null}]"},
		"storage: {mounts: [{from: x, type: xfs, path: %s}]}": {"/data", "/data/x-y_z.1", "data", "/", "/data/", "//data", "/a/../b", "/etc", "/etc/x", "/etcetera", "/usr", "/usr/lib", "/usr/local", "/usr/local/x", "/var", "/var/lib", "/var/lib/mysql",
			"/var/lib/reveille", "/var/lib/reveille/x", "/var/lib/reveilles", "/home", "/home/x", "/root", "/root/x", "/tmp", "/tmp/x", "/run/x", "/dev/x", "/sys", "/proc/1", "/boot/efi", "/lib64", `"/a b"`, `"/a%b"`, `"/${x}"`},
		"storage: {mounts: [{path: /a, type: xfs, from: %s}]}":               {"x", "volumes/x", "raid/x", "lvm/a/b", "lvm/a", "lvm/a/b/c", "raid/1", "/dev/sdf"},
		"storage: {mounts: [{path: /a, from: x, type: xfs, options: [%s]}]}": {"noatime", "nofail", "nofailure", "defaults", "ro", "user", "users", "usrquota", "x-systemd.automount", "_netdev", "bind", "loop=/x", `"a,b"`, `"a b"`, "logbsize=256k", `"a="`},
		"storage: {mounts: [{path: /a, from: x, type: xfs, mkfs: [%s]}]}":    {"-i, size=512", "-f", "-F", "-q, -q", "-L, x", "-U, x", "uuid=1", `"crc=1,uuid=1"`, "--force", "-ff", "/dev/sda", "-b, 4096", `-b, "4096"`, "^has_journal", `""`, `"a b"`, "-"},
		"storage: {mounts: [{path: /a, from: x, type: xfs, label: %s}]}":     {"data", "sixteen-letters.", "seventeen-letters", "-a", `"a b"`, `""`},
		"storage: {mounts: [{path: /a, from: x, type: xfs, mode: %s}]}":      {`"0750"`, `"750"`, "0750", `"0800"`, `"75"`, `"u+x"`},
		"storage: {mounts: [{path: /a, from: x, type: xfs, owner: %s}]}":     {"mysql", "Mysql", `"27"`, "27"},
		"role: web\nstorage: %s":                            {"{}", "null"},
		"role: web\nresolver: {nameservers: [%s, \"::3\"]}": {`"::3"`, `"::4"`},
	}
	for form, values := range cases {
		for _, v := range values {
			text := strings.Replace(form, "%s", v, 1) + "\n"
			_, errs := decodeYAML(RoleFile, "x", []byte(text))
			err := schema.Validate(asJSON(t, "x", []byte(text)))
			if (len(errs) == 0) != (err == nil) {
				t.Errorf("%q: the decoder says %v, the schema says %v", text, errs, err)
			}
		}
	}
}

// listed is a form n times, each with its own number.
func listed(form string, n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(form, i))
	}
	return strings.Join(all, ", ")
}
