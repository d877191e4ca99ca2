package daemon

import (
	"os"
	"strings"
	"testing"

	"reveille/coordinator/api"
)

// With its database down, a look that nobody asked for says so soon, though the
// check allows two minutes.
func TestATimerWaitsForNothingLong(t *testing.T) {
	t.Parallel() // it waits
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/mysql.yaml", []byte("role: mysql\nmatch: {security_groups: [mysql]}\nready: [{tcp: \"127.0.0.1:3306\", timeout: 2m}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := machine(t, thisID)
	m.Forward("127.0.0.1:3306", "127.0.0.1:1")
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs = []string{dir}
	out, err := Pass{Config: c, Kind: Timer}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := out.Report
	step := stepOf(r, "ready:tcp:127.0.0.1:3306")
	if r.State != api.Failed || !strings.Contains(step.Error, "within "+timerWait.String()) {
		t.Errorf("%s\n%+v", text(r), step)
	}
}
