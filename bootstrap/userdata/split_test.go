package userdata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	keyValue = "hostname=dev-mysql01\nrole=mysql\n"
	yamlDoc  = "#reveille\nhostname: dev-mysql01\n"
	config   = "#cloud-config\npackages: [vim]\nreveille:\n  hostname: dev-mysql01\nruncmd: [ls]\n"
	// keep is what is left of config.
	keep = "\n\nreveille:\n  hostname: dev-mysql01\n"
)

type splitCase struct {
	name string
	raw  string
	want []Part
}

// wholeCases are user-data of one part.
func wholeCases(t testing.TB) []splitCase {
	one := func(name, raw, typ string, size int, form Form, text string) splitCase {
		return splitCase{name, raw, []Part{{Name: "user-data", Type: typ, Size: size, Form: form, Text: text}}}
	}
	kv := func(name, raw, text string) splitCase { return one(name, raw, typeReveille, len(raw), KeyValue, text) }
	not := func(name, raw, typ string) splitCase { return one(name, raw, typ, len(raw), NotOurs, "") }
	return []splitCase{
		{name: "empty"},
		{name: "white space", raw: " \r\n\t\n"},
		{name: "a byte order mark alone", raw: "\ufeff"},
		{name: "gzip of nothing", raw: zip(t, "")},

		kv("key=value", keyValue, keyValue),
		kv("no newline at the end", "hostname=a", "hostname=a"),
		kv("CRLF", "hostname=a\r\nrole=b\r\n", "hostname=a\nrole=b\n"),
		kv("CR", "hostname=a\rrole=b", "hostname=a\nrole=b"),
		kv("byte order mark", "\ufeffhostname=a\n", "hostname=a\n"),
		kv("comments, empty lines and others' keys", "# of 2008\n\nowner=ops\n hostname = a\n", "# of 2008\n\nowner=ops\n hostname = a\n"),
		kv("a value with = and spaces", "hostname=a\nuser=x=y z\n", "hostname=a\nuser=x=y z\n"),
		kv("a value that looks like base64 stays", "hostname=aGk=\n", "hostname=aGk=\n"),
		kv("mime-version in a comment", "# mime-version: 1.0\nhostname=a\n", "# mime-version: 1.0\nhostname=a\n"),
		one("key=value in gzip", zip(t, keyValue), typeReveille, len(keyValue), KeyValue, keyValue),
		one("gzip with zeros behind it", zip(t, keyValue)+"\x00\x00", typeReveille, len(keyValue), KeyValue, keyValue),
		one("two gzip members", zip(t, "hostname=a\n")+zip(t, "role=b\n"), typeReveille, 18, KeyValue, "hostname=a\nrole=b\n"),
		not("keys of others", "a=1\nb=2\n", typeNone),
		{"one line that is no key=value", "hostname=a\nhello\n", []Part{{Name: "user-data", Type: typeNone, Size: 17,
			Near: "it has hostname=, but line 2 is not key=value, so none of it counts"}}},
		not("a key with a space", "export hostname=a\n", typeNone),

		one("YAML", yamlDoc, typeReveille, len(yamlDoc), YAML, yamlDoc),
		one("YAML with CRLF and byte order mark", "\ufeff#reveille\r\nhostname: a\r\n", typeReveille, 27, YAML, "#reveille\nhostname: a\n"),
		one("YAML's first line in capitals after empty lines", "\n\n#Reveille \nrole: b", typeReveille, 20, YAML, "\n\n#Reveille \nrole: b"),
		not("#reveilled is nothing", "#reveilled\nhostname: a\n", typeNone),
		not("a comment is no first line", "# reveille\nhostname: a\n", typeNone),

		one("cloud-config", config, typeCloudConfig, len(config), CloudConfig, keep),
		one("cloud-config in gzip", zip(t, config), typeCloudConfig, len(config), CloudConfig, keep),
		one("cloud-config with CRLF", strings.ReplaceAll(config, "\n", "\r\n"), typeCloudConfig, len(config)+5, CloudConfig, keep),
		not("cloud-config of others", "#cloud-config\npackages: [reveille]\n", typeCloudConfig),
		not("cloud-config that is not UTF-8, of others", "#cloud-config\na: \xff\n", typeCloudConfig),

		not("script", "#!/bin/sh\nhostname=a\n", typeScript),
		not("script that writes a multipart", "#!/bin/sh\ncat <<E\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\nE\n", typeScript),
		not("include", "#include\nhttps://acme.example/ud\n", "text/x-include-url"),
		not("include once", "#include-once\nhttps://acme.example/ud\n", "text/x-include-once-url"),
		not("boothook", "#cloud-boothook\n#!/bin/sh\n", "text/cloud-boothook"),
		not("part handler", "#part-handler\ndef list_types(): pass\n", "text/part-handler"),
		not("jinja", "## template: jinja\n#cloud-config\nreveille: {}\n", "text/jinja2"),
		not("archive", "#cloud-config-archive\n- x\n", "text/cloud-config-archive"),
		not("json patch", "#cloud-config-jsonp\n[]\n", "text/cloud-config-jsonp"),
		not("binary", "\x7fELF\x00\x01\xff", typeNone),
		not("base64 of key=value is not guessed", b64(keyValue), typeNone),
		one("gzip in gzip is taken off once", zip(t, zip(t, keyValue)), typeNone, len(zip(t, keyValue)), NotOurs, ""),
	}
}

// mimeCases are messages.
func mimeCases(t testing.TB) []splitCase {
	kv := Part{Name: "part 1", Type: typeReveille, Size: 10, Form: KeyValue, Text: "hostname=a"}
	named := func(p Part, name string) []Part { p.Name = name; return []Part{p} }
	nested := multi("a",
		typed(typeScript, "#!/bin/sh\n"),
		multi("b", typed(typeReveille, "hostname=a"), multi("c", part(config, "Content-Type: text/cloud-config", `Content-Disposition: attachment; filename="web.yaml"`))))
	nestedParts := []Part{
		{Name: "part 1", Type: typeScript, Size: 10},
		{Name: "part 2.1", Type: typeReveille, Size: 10, Form: KeyValue, Text: "hostname=a"},
		{Name: "web.yaml", Type: typeCloudConfig, Size: len(config), Form: CloudConfig, Text: keep},
	}
	return []splitCase{
		{"multipart", multi("x", typed(typeReveille, "hostname=a")), []Part{kv}},
		{"nested", nested, nestedParts},
		{"nested in gzip", zip(t, nested), nestedParts},
		{"CRLF", strings.ReplaceAll(multi("x", typed(typeReveille, "hostname=a")), "\n", "\r\n"), []Part{kv}},
		{"CRLF headers, LF parts", strings.Replace(multi("x", typed(typeReveille, "hostname=a")), "\n", "\r\n", 4), []Part{kv}},
		{"byte order mark", "\ufeff" + multi("x", typed(typeReveille, "hostname=a")), []Part{kv}},
		{"no newline at the end", strings.TrimSpace(multi("x", typed(typeReveille, "hostname=a"))), []Part{kv}},
		{"preamble and epilogue", strings.Replace(multi("x", typed(typeReveille, "hostname=a")), "\n\n", "\n\nhello\n\n", 1) + "bye\n", []Part{kv}},
		{"a boundary begins another", multi("x", typed(typeReveille, "hostname=a\n--xy\n")), []Part{{Name: "part 1", Type: typeReveille, Size: 16, Form: KeyValue, Text: "hostname=a\n--xy\n"}}},
		{"unquoted boundary with =", strings.ReplaceAll(multi("==1==", typed(typeReveille, "hostname=a")), `"`, ""), []Part{kv}},
		{"folded header, capitals", strings.Replace(multi("x", typed("TEXT/X-Reveille;\n charset=utf-8", "hostname=a")), "Content-Type: multipart/mixed;", "CONTENT-TYPE: Multipart/Mixed;\n\t", 1), []Part{kv}},
		{"one part alone, no multipart", "MIME-Version: 1.0\nContent-Type: text/x-reveille\nContent-Transfer-Encoding: base64\n\n" + b64("hostname=a"), named(kv, "user-data")},
		{"a message in a multipart", multi("x", part(multi("y", typed(typeReveille, "hostname=a")), "Content-Type: message/rfc822")), named(kv, "part 1.1")},

		{"no type, key=value", multi("x", part("hostname=a")), []Part{kv}},
		{"text/plain, key=value", multi("x", typed("text/plain; charset=us-ascii", "hostname=a")), []Part{kv}},
		{"text/plain, YAML", multi("x", typed("text/plain", yamlDoc)), []Part{{Name: "part 1", Type: typeReveille, Size: len(yamlDoc), Form: YAML, Text: yamlDoc}}},
		{"not-multipart, cloud-config", multi("x", typed(typeNone, config)), []Part{{Name: "part 1", Type: typeCloudConfig, Size: len(config), Form: CloudConfig, Text: keep}}},
		{"a declared script that is YAML of ours", multi("x", typed(typeScript, yamlDoc)), []Part{{Name: "part 1", Type: typeReveille, Size: len(yamlDoc), Form: YAML, Text: yamlDoc}}},
		{"a declared script is not read as key=value", multi("x", typed(typeScript, "hostname=a")), []Part{{Name: "part 1", Type: typeScript, Size: 10}}},
		{"headers that end without an empty line", multi("x", "Content-Type: text/x-reveille\nhostname=a"), []Part{kv}},
		{"declared ours, whatever is in it", multi("x", typed(typeReveille, "nonsense")), []Part{{Name: "part 1", Type: typeReveille, Size: 8, Form: KeyValue, Text: "nonsense"}}},
		{"declared cloud-config without its first line", multi("x", typed(typeCloudConfig, "reveille: {role: b}")), []Part{{Name: "part 1", Type: typeCloudConfig, Size: 19, Form: CloudConfig, Text: "reveille: {role: b}\n"}}},

		{"base64", multi("x", part(b64("hostname=a")[:6]+"\n"+b64("hostname=a")[6:]+"\n", "Content-Type: text/x-reveille", "Content-Transfer-Encoding: BASE64")), []Part{kv}},
		{"base64 without its padding", multi("x", part(strings.TrimRight(b64("hostname=a"), "="), "Content-Type: text/x-reveille", "Content-Transfer-Encoding: base64")), []Part{kv}},
		{"base64 that is not declared", multi("x", typed("text/plain", b64("hostname=a"))), []Part{{Name: "part 1", Type: typePlain, Size: 16}}},
		{"quoted-printable", multi("x", part("hostname=3Da", "Content-Type: text/x-reveille", "Content-Transfer-Encoding: quoted-printable")), []Part{kv}},
		{"gzip by type", multi("x", part(b64(zip(t, "hostname=a")), "Content-Type: application/x-gzip", "Content-Transfer-Encoding: base64")), []Part{kv}},
		{"gzip by its first bytes", multi("x", part(b64(zip(t, "hostname=a")), "Content-Type: text/x-reveille", "Content-Transfer-Encoding: base64")), []Part{kv}},
		{"gzip of another's type stays", multi("x", part(b64(zip(t, "hostname=a")), "Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64")), []Part{{Name: "part 1", Type: "application/octet-stream", Size: len(zip(t, "hostname=a"))}}},

		{"merge type and launch index are left alone", multi("x", part("hostname=a", "Content-Type: text/x-reveille", "X-Merge-Type: list(append)", "Launch-Index: 0")), []Part{kv}},
		{"file name in RFC 2231", multi("x", part("hostname=a", "Content-Type: text/x-reveille", "Content-Disposition: attachment; filename*=utf-8''caf%C3%A9%0A.txt")), named(kv, "café_.txt")},
		{"file name as the type's name", multi("x", typed("text/x-reveille; name=h.txt", "hostname=a")), named(kv, "h.txt")},
		{"nothing of ours", multi("x", typed("text/x-acme", "hostname=a"), part("")), []Part{{Name: "part 1", Type: "text/x-acme", Size: 10}, {Name: "part 2", Type: typePlain}}},
		{"two boundary lines hold no part", multi("x", typed(typeReveille, "hostname=a")+"\n--x"), []Part{kv}},
	}
}

func TestSplit(t *testing.T) {
	for _, c := range append(wholeCases(t), mimeCases(t)...) {
		t.Run(c.name, func(t *testing.T) {
			got, err := Split([]byte(c.raw), ours)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("parts (-want +got):\n%s", d)
			}
		})
	}
}

func TestSplitWithoutKeysOfOurs(t *testing.T) {
	got, err := Split([]byte(keyValue), nil)
	if err != nil || len(got) != 1 || got[0].Form != NotOurs {
		t.Errorf("nil ours: %+v, %v; want one part that is not ours", got, err)
	}
}
