package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/bootstrap/userdata"
	"reveille/roles"
)

const ldapSuffix = "dc=acme,dc=private"

// accessTable is roles' own table of verdicts, asked here of real programs.
type accessTable struct {
	Entries map[string][]string
	Hosts   []accessHost
}

type accessHost struct {
	Name, Zone, Region string
	Admits             []string
}

func readAccessTable(t *testing.T) (v accessTable) {
	t.Helper()
	b, err := os.ReadFile("../roles/testdata/access/verdicts.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Entries) == 0 || len(v.Hosts) == 0 {
		t.Fatal("the table of verdicts is empty")
	}
	return v
}

// TestDirectoryServerGivesTheVerdicts asks a real slapd what the three clients
// would ask it, each with the filter out of its own rendered file.
func TestDirectoryServerGivesTheVerdicts(t *testing.T) {
	table := readAccessTable(t)
	conn := startDirectory(t, table.Entries).dial(t)
	for _, h := range table.Hosts {
		for _, c := range filterClients {
			filter := c.filter(t, h)
			for uid := range table.Entries {
				search := c.wrap(filter, ldap.EscapeFilter(uid))
				got, err := conn.Search(ldap.NewSearchRequest(ldapSuffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
					0, 5, false, search, []string{"uid"}, nil))
				if err != nil {
					t.Fatalf("%s on %s: %s: %v", c.client, h.Name, search, err)
				}
				found := len(got.Entries) == 1 && got.Entries[0].GetAttributeValue("uid") == uid
				if want := slices.Contains(h.Admits, uid); found != want || len(got.Entries) > 1 {
					t.Errorf("%s on %s in %s lets %s in: %v (%d entries), want %v", c.client, h.Name, h.Zone, uid, found, len(got.Entries), want)
				}
			}
		}
	}
}

// filterClients are the clients: where each has its filter, and how it wraps
// it for a user. nslcd is asked itself, in nslcd_test.go.
var filterClients = []struct {
	filterClient
	wrap func(filter, uid string) string
}{
	{filterClient{"nss_ldap", "/etc/pam_ldap.conf", "pam_filter "}, func(f, uid string) string { return "(&(" + f + ")(uid=" + uid + "))" }},
	{filterClient{"nslcd", "/etc/nslcd.conf", "pam_authz_search "}, func(f, uid string) string {
		// nslcd unescapes the line, then fills in the user.
		return strings.ReplaceAll(strings.ReplaceAll(f, `\\`, `\`), "$username", uid)
	}},
	{filterClient{"sssd", "/etc/sssd/sssd.conf", "ldap_access_filter = "}, func(f, uid string) string {
		return "(&(uid=" + uid + ")(objectclass=posixAccount)" + f + ")"
	}},
}

type filterClient struct{ client, path, key string }

// filter is what the client's file on this host says after its key.
func (c filterClient) filter(t *testing.T, h accessHost) string {
	t.Helper()
	for line := range strings.Lines(string(directoryFile(t, h, c.client, c.path, "ldap://127.0.0.1:389"))) {
		if f, ok := strings.CutPrefix(line, c.key); ok {
			return strings.TrimSuffix(f, "\n")
		}
	}
	t.Fatalf("%s has no %s", c.path, c.key)
	return ""
}

// directoryFile is one file of the plan for this host, by way of a role file
// and user-data, as on a machine.
func directoryFile(t *testing.T, h accessHost, client, path, uri string) []byte {
	t.Helper()
	f := bareFacts("hostname=" + h.Name + "\nrole=fleet\n")
	f.Instance.Zone, f.Instance.Region = facts.Known(h.Zone), facts.Known(h.Region)
	files, _ := renderedFiles(t, f, []roles.Source{{Layer: roles.RoleFile, Name: "fleet.yaml", Data: fmt.Appendf(nil, `role: fleet
directory:
  client: %s
  uris: [%q]
  base: %s
  bind_timelimit: 1s
  timelimit: 2s
  access: {hosts: true}
  break_glass: root
`, client, uri, ldapSuffix)}})
	if files[path] == nil {
		t.Fatalf("the plan has no file %s", path)
	}
	return files[path]
}

// bareFacts is a Debian instance whose facts are all known.
func bareFacts(userData string) facts.Facts {
	f := facts.Facts{Version: facts.Version, Source: facts.FromIMDS}
	f.Instance.Region, f.Instance.Zone = facts.Known("us-east-1"), facts.Known("us-east-1b")
	f.Instance.PrivateIP = facts.Known("10.99.1.17")
	f.Instance.Tags = facts.Absent[map[string]string]()
	f.Instance.SecurityGroups = facts.Known([]string{"default"})
	f.Instance.Hostname = facts.Known("ip-10-99-1-17.ec2.internal")
	f.UserData.State = facts.Known(facts.Digest{Size: len(userData)})
	f.UserData.Parts = []userdata.Part{{Name: "user-data", Size: len(userData), Form: userdata.KeyValue, Text: userData}}
	f.Machine.OS = facts.OS{ID: "debian", Version: "12"}
	return f
}

// renderedFiles is the whole files of the plan, and the profile behind it.
func renderedFiles(t *testing.T, f facts.Facts, sources []roles.Source) (map[string][]byte, roles.Profile) {
	t.Helper()
	p, err := roles.Resolve(f, sources)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := roles.Plan(f, p)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, s := range steps {
		if file, ok := s.Resource.(resource.File); ok && file.Edit == nil {
			files[file.Path] = file.Content
		}
	}
	return files, p
}

// slapd is a directory server of this test's own.
type slapd struct{ address string }

func (s slapd) uri() string { return "ldap://" + s.address }

func (s slapd) dial(t *testing.T) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(s.uri())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// startDirectory runs slapd on a loopback port and fills it with people. Its
// schema and its matching rules are the ones that Debian ships.
func startDirectory(t *testing.T, people map[string][]string) slapd {
	t.Helper()
	needProgram(t, "/usr/sbin/slapd", "slapd")
	dir := t.TempDir()
	conf := filepath.Join(dir, "slapd.conf")
	text := "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	for _, schema := range []string{"core", "cosine", "nis"} {
		text += "include /etc/ldap/schema/" + schema + ".schema\n"
	}
	text += "database mdb\nmaxsize 16777216\nsuffix " + ldapSuffix + "\ndirectory " + dir + "\n" +
		"rootdn cn=admin," + ldapSuffix + "\nrootpw test\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := slapd{freePort(t)}
	runReal(t, exec.Command("/usr/sbin/slapd", "-f", conf, "-h", s.uri()+"/", "-d", "0"))
	waitFor(t, 20*time.Second, "slapd answers on "+s.address, func() error {
		conn, err := net.DialTimeout("tcp", s.address, time.Second)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	s.fill(t, people)
	return s
}

func (s slapd) fill(t *testing.T, people map[string][]string) {
	t.Helper()
	conn := s.dial(t)
	err := conn.Bind("cn=admin,"+ldapSuffix, "test")
	add := func(dn string, attributes map[string][]string) {
		r := ldap.NewAddRequest(dn, nil)
		for name, values := range attributes {
			if len(values) > 0 {
				r.Attribute(name, values)
			}
		}
		err = errors.Join(err, conn.Add(r))
	}
	add(ldapSuffix, map[string][]string{"objectClass": {"dcObject", "organization"}, "dc": {"acme"}, "o": {"acme"}})
	number := 5000
	for uid, hosts := range people {
		number++
		add("uid="+uid+","+ldapSuffix, map[string][]string{
			"objectClass": {"account", "posixAccount"}, "uid": {uid}, "cn": {uid}, "host": hosts,
			"uidNumber": {fmt.Sprint(number)}, "gidNumber": {"5000"}, "homeDirectory": {"/home/" + uid},
		})
	}
	if err != nil {
		t.Fatalf("fill the directory: %v", err)
	}
}
