package resource

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var nssEdit = NSSwitch{Source: "ldap", Databases: []string{"passwd", "shadow", "group"}, Initgroups: true}

// Whole files as distributions bring them, edited for the client they bring.
func TestNSSwitchOnWholeFiles(t *testing.T) {
	for file, source := range map[string]string{
		"debian12": "ldap", "ubuntu2204": "ldap", "debian10_compat": "ldap", "amazonlinux2023": "sss", "rhel9": "sss",
	} {
		t.Run(file, func(t *testing.T) {
			edit := nssEdit
			edit.Source = source
			old := readTest(t, "nsswitch", file+".conf")
			got, err := edit.Apply(old)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "nsswitch", file+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(readTest(t, "nsswitch", file+".golden")), string(got)); d != "" {
				t.Errorf("edited (-want +got):\n%s", d)
			}
			back, err := edit.Undo(got, old)
			if err != nil || string(back) != string(old) {
				t.Errorf("undone (error %v; -want +got):\n%s", err, cmp.Diff(string(old), string(back)))
			}
		})
	}
}

func readTest(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNSSwitchLine(t *testing.T) {
	for _, c := range []struct{ old, want string }{
		{"passwd: files", "passwd: files ldap"},
		{"passwd: files systemd", "passwd: files systemd ldap"},
		{"passwd: files  systemd  # local", "passwd: files  systemd ldap  # local"},
		{"passwd:files#x", "passwd:files ldap #x"},
		{"\tpasswd :\tfiles\t", "\tpasswd :\tfiles ldap\t"},
		{"passwd files", "passwd files ldap"},
		{"passwd:", "passwd: files ldap"},
		{"passwd:   # none", "passwd:   files ldap # none"},
		{"passwd: ldap", "passwd: files ldap"},
		{"passwd: nis", "passwd: files ldap nis"},
		{"passwd: ldap files", "passwd: files ldap"},
		{"passwd:\tldap  files systemd", "passwd:\tfiles systemd ldap"},
		{"passwd: ldap [NOTFOUND=return] files nis", "passwd: files ldap [NOTFOUND=return] nis"},
		{"passwd: ldap files ldap", "passwd: files ldap"},
		{"passwd: ldap systemd ldap files", "passwd: systemd files ldap"},
		{"passwd: compat", "passwd: compat ldap"},
		{"passwd: systemd files", "passwd: systemd files ldap"},
		{"passwd: files [UNAVAIL=return] nis", "passwd: files [UNAVAIL=return] ldap nis"},
		{"passwd: files[NOTFOUND=continue]nis", "passwd: files[NOTFOUND=continue] ldap nis"},
		// A merge is not stretched over the directory.
		{"group: files [SUCCESS=merge] systemd", "group: files [SUCCESS=merge] systemd ldap"},
		{"group: files [ success = MERGE ] systemd nis", "group: files [ success = MERGE ] systemd ldap nis"},
		{"group: files [!NOTFOUND=continue] systemd", "group: files [!NOTFOUND=continue] systemd ldap"},
		// So already: not a byte changes.
		{"passwd:  files\tsystemd   ldap  # why", "passwd:  files\tsystemd   ldap  # why"},
		{"passwd: compat ldap files", "passwd: compat ldap files"},
		{"group: files [SUCCESS=merge] ldap [SUCCESS=merge] systemd", "group: files [SUCCESS=merge] ldap [SUCCESS=merge] systemd"},
		// Not ours.
		{"Passwd: nis", "Passwd: nis"},
		{"passwd_compat: nis", "passwd_compat: nis"},
		{"#passwd: nis", "#passwd: nis"},
		{": passwd nis", ": passwd nis"},
		{"passwd#", "passwd#"},
		{"hosts: files [oops", "hosts: files [oops"},
		// initgroups is exact, whatever was there.
		{"initgroups: files ldap # kept", "initgroups: files ldap # kept"},
		{"initgroups:\tfiles  ldap", "initgroups:\tfiles  ldap"},
		{"initgroups:  files [SUCCESS=continue] ldap  # c", "initgroups:  files ldap  # c"},
		{"initgroups: nis [oops", "initgroups: files ldap"},
		{"initgroups:", "initgroups: files ldap"},
	} {
		got, err := nssEdit.line(c.old)
		if err != nil || got != c.want {
			t.Errorf("%q became %q (error %v), want %q", c.old, got, err, c.want)
		}
	}
}

func TestNSSwitchRefuses(t *testing.T) {
	before := "hosts: files dns\n"
	for old, want := range map[string]string{
		"passwd: files [NOTFOUND=return]":          `files [NOTFOUND=return] keeps ldap from ever being asked`,
		"passwd: files [NOTFOUND=return] ldap":     `files [NOTFOUND=return] keeps ldap`,
		"passwd: files [!SUCCESS=return] ldap":     `files [!SUCCESS=return] keeps ldap`,
		"passwd: files db[notfound = Return] ldap": `db[notfound = Return] keeps ldap`,
		"passwd: files [NOTFOUND=return":           `"[NOTFOUND=return" is not closed`,
		"passwd: [NOTFOUND=return] files":          `stands behind no source`,
		"passwd: files [a=b][c=d]":                 `no such status: a`,
		"passwd: files [NOTFOUND=maybe]":           `no such action: maybe`,
		"passwd: files [NOTFOUND]":                 `want STATUS=ACTION`,
		"passwd":                                   `a name alone`,
		"\tinitgroups":                             `a name alone`,
		"passwd: files : nis":                      `":" is no name of a source`,
		"passwd: files []":                         `it is empty`,
		"passwd: files [UNAVAıL=return]":           `no such status`,
	} {
		got, err := nssEdit.Apply([]byte(before + old + "\n"))
		if err == nil || got != nil {
			t.Errorf("%q: edited to %q, error %v", old, got, err)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2, ") {
			t.Errorf("%q: error %q names neither line 2 nor %q", old, err, want)
		}
	}
	two := "passwd: files [oops\nshadow: files [NOTFOUND=return]\n"
	if _, err := nssEdit.Apply([]byte(two)); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two bad lines, told: %v", err)
	}
	for _, e := range []NSSwitch{
		{}, {Source: "files"}, {Source: "compat"}, {Source: "ldap files"}, {Source: "a\nb"},
		{Source: "ldap", Databases: []string{"initgroups"}}, {Source: "ldap", Databases: []string{"pass wd"}},
		{Source: "ldap", Databases: []string{"passwd", "passwd"}},
	} {
		if _, err := e.Apply(nil); err == nil {
			t.Errorf("%+v was taken", e)
		}
	}
}

// Lines that are missing are added where a reader looks for them.
func TestNSSwitchAddsLines(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"no file":                 {"", "passwd: files ldap\nshadow: files ldap\ngroup:  files ldap\ninitgroups: files ldap\n"},
		"initgroups behind group": {"passwd: files\ngroup:          files\nshadow: files\nhosts: dns\n", "passwd: files ldap\ngroup:          files ldap\ninitgroups:     files ldap\nshadow: files ldap\nhosts: dns\n"},
		"tabs":                    {"passwd:\tfiles\nshadow:\tfiles\ngroup:\tfiles\n", "passwd:\tfiles ldap\nshadow:\tfiles ldap\ngroup:\tfiles ldap\ninitgroups:\tfiles ldap\n"},
		"no newline at the end":   {"passwd: files\nshadow: files\ngroup: files", "passwd: files ldap\nshadow: files ldap\ngroup: files ldap\ninitgroups: files ldap\n"},
		"none of ours":            {"hosts: dns", "hosts: dns\npasswd: files ldap\nshadow: files ldap\ngroup:  files ldap\ninitgroups: files ldap\n"},
		"carriage returns":        {"passwd: files\r\nshadow: files\r\ngroup: files # x\r\n", "passwd: files ldap\r\nshadow: files ldap\r\ngroup: files ldap # x\r\ninitgroups: files ldap\r\n"},
		"two lines become alike":  {"group: ldap files\ngroup: files\npasswd: ldap\nshadow: ldap\n", "group: files ldap\ngroup: files ldap\ninitgroups: files ldap\npasswd: files ldap\nshadow: files ldap\n"},
		"a database twice":        {"passwd: files\npasswd: nis\nshadow: files\ngroup: files\ninitgroups: nis\n", "passwd: files ldap\npasswd: files ldap nis\nshadow: files ldap\ngroup: files ldap\ninitgroups: files ldap\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := nssEdit.Apply([]byte(c.old))
			if err != nil || string(got) != c.want {
				t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
			back, err := nssEdit.Undo(got, []byte(c.old))
			if err != nil || string(back) != c.old {
				t.Errorf("undone, error %v (-want +got):\n%s", err, cmp.Diff(c.old, string(back)))
			}
		})
	}
	plain := NSSwitch{Source: "ldap", Databases: []string{"group"}}
	if got, _ := plain.Apply([]byte("group: files\n")); string(got) != "group: files ldap\n" {
		t.Errorf("initgroups was not asked for: %q", got)
	}
}

// Undo keeps what others have done since.
func TestNSSwitchUndoOnChangedFile(t *testing.T) {
	const original = "passwd: files\nshadow: nis\ngroup: ldap files\n"
	for name, c := range map[string]struct{ now, want string }{
		"a source was added":      {"passwd: files ldap winbind # new\nshadow: files ldap nis\ngroup: files ldap\ninitgroups: files ldap\n", "passwd: files winbind # new\nshadow: nis\ngroup: ldap files\n"},
		"other lines":             {"# by hand\npasswd: files ldap\nshadow: files ldap nis\ngroup: files ldap\ninitgroups: files ldap\nsudoers: files\n", "# by hand\npasswd: files\nshadow: nis\ngroup: ldap files\nsudoers: files\n"},
		"the image named it":      {"passwd: files\nshadow: nis\ngroup: files nis ldap\n", "passwd: files\nshadow: nis\ngroup: files nis ldap\n"},
		"with an action":          {"passwd: files  ldap [NOTFOUND=return] nis\n", "passwd: files nis\n"},
		"first":                   {"passwd: ldap [NOTFOUND=return] nis\n", "passwd: nis\n"},
		"nothing else":            {"passwd:  ldap # all of it\n", "passwd: files\n"},
		"initgroups by hand":      {"initgroups: files ldap nis\n", "initgroups: files nis\n"},
		"initgroups of it alone":  {"initgroups: ldap # x\n", "initgroups: files # x\n"},
		"everything of ours gone": {"hosts: dns\n", "hosts: dns\n"},
		"undone already":          {original, original},
		"copied line":             {"passwd: files ldap\npasswd: files ldap\n", "passwd: files\npasswd: files\n"},
		"empty":                   {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := nssEdit.Undo([]byte(c.now), []byte(original))
			if err != nil || string(got) != c.want {
				t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
			}
		})
	}
	const bare = "hosts: dns" // the newline behind it is needed now
	if got, err := nssEdit.Undo([]byte("hosts: dns\ninitgroups: files ldap\nmore: x\n"), []byte(bare)); err != nil || string(got) != "hosts: dns\nmore: x\n" {
		t.Errorf("with a line behind ours: %q, error %v", got, err)
	}
	if got, err := nssEdit.Undo([]byte("hosts: dns\npasswd: files [x\n"), []byte("passwd: files\n")); err == nil || got != nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a line that cannot be read gave %q, error %v", got, err)
	}
}

func TestNSSwitchIsPlainData(t *testing.T) {
	data, err := json.Marshal(nssEdit)
	if err != nil {
		t.Fatal(err)
	}
	var back NSSwitch
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(nssEdit, back); d != "" {
		t.Errorf("through JSON (-want +got):\n%s", d)
	}
	if d := cmp.Diff("passwd, shadow, group: files, and what else this machine answers, before ldap\ninitgroups: exactly files ldap\n", nssEdit.Describe()); d != "" {
		t.Errorf("described (-want +got):\n%s", d)
	}
	if nssEdit.Kind() != "nsswitch" {
		t.Error("the kind was renamed: machines keep it for years")
	}
}
