package daemon

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/host/hosttest"
)

// The directory's password stands in files that not everybody may read, and
// nowhere else: not in a report, a log, an error, nor in what is kept.
func TestThePasswordIsInNoOtherPlace(t *testing.T) {
	const password = "correct-horse-battery"
	role, err := os.ReadFile("testdata/roles/mysql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	roles := t.TempDir()
	with := strings.Replace(string(role), "directory:\n", "directory:\n  bind_dn: cn=a,dc=acme\n  password_file: /etc/reveille/bind\n", 1)
	if err := os.WriteFile(filepath.Join(roles, "mysql.yaml"), []byte(with), 0o600); err != nil {
		t.Fatal(err)
	}
	m := machine(t, thisID)
	m.Put("/etc/reveille/bind", password+"\n", 0o600)
	m.Put("/etc/nslcd.conf", "bindpw "+password+"-before\n", 0o600) // the image's own
	var log bytes.Buffer
	pass := func() {
		c := config(t, m.Host(), crawl(thisID))
		c.RoleDirs, c.Log = []string{roles}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, _ := report.Encode(out.Report)
		log.Write(b)
		for _, s := range out.Wanted.Plan {
			if d, ok := s.Resource.(interface{ Describe() string }); ok {
				log.WriteString(d.Describe())
			}
			changes, _ := s.Check(t.Context(), m.Host())
			for _, c := range changes {
				log.WriteString(c.Say + c.Diff)
			}
		}
	}
	pass()
	if !strings.Contains(m.Read("/etc/nslcd.conf"), "bindpw "+password+"\n") {
		t.Fatalf("the password is not in its place:\n%s", m.Read("/etc/nslcd.conf"))
	}
	m.Put("/etc/nslcd.conf", "bindpw "+password+"-a-person's\n", 0o644)
	pass()
	open(t, m, password)
	m.Put("/etc/reveille/bind", "", 0o600) // an error that names the file
	pass()
	if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
		t.Error(err)
	}
	open(t, m, password)
	if strings.Contains(log.String(), password) {
		t.Errorf("the password was told:\n%s", log.String())
	}
}

// open tells which files that hold a text everybody may read.
func open(t *testing.T, m *hosttest.Machine, text string) {
	t.Helper()
	err := filepath.WalkDir(m.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if i, err := d.Info(); err != nil || bytes.Contains(data, []byte(text)) && i.Mode()&0o007 != 0 {
			t.Errorf("%s (%v) is open to all", path, i.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
