package integration_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"reveille/integration/guest"
)

// BenchmarkBoot sets boots with the agent, which makes its first pass there,
// against boots of the same machine without it, turn by turn: until somebody
// who is not root has logged in with a key, and until multi-user.target. The
// last kind's role also has the directory's and Ganglia's daemons started.
func BenchmarkBoot(b *testing.B) {
	lab := newBenchLab(b, guest.Container)
	arms := []struct {
		name, image string
		role        guest.File
	}{{"plain", "plain", benchNames}, {"agent", "agent", benchNames}, {"with-daemons", "agent", benchRole(b)}}
	login, multi := make([][]float64, len(arms)), make([][]float64, len(arms))
	for round := range b.N * 50 {
		for turn := range arms {
			i := (round + turn) % len(arms) // each goes first as often as the others
			l, m := lab.untilLogin(arms[i].image, arms[i].role)
			login[i], multi[i] = append(login[i], l), append(multi[i], m)
		}
	}
	for i, arm := range arms {
		row(b, arm.name, "login-ms", median(login[i]), "login-added-ms", median(login[i])-median(login[0]),
			"multi-user-ms", median(multi[i]), "multi-user-added-ms", median(multi[i])-median(multi[0]))
	}
}

// untilLogin boots a fresh machine, and tells when after power-on a login was
// answered, and when after its first process's start multi-user was reached.
func (l *benchLab) untilLogin(image string, files ...guest.File) (login, multi float64) {
	l.b.Helper()
	g := l.prepare(image, files...)
	defer g.close()
	g.neighbour()
	g.powerOn()
	g.firstLogin("admin", "true")
	login = float64(time.Since(g.Started()).Microseconds()) / 1000
	g.quiet()
	at := g.monotonic("UserspaceTimestampMonotonic")
	return login, (g.monotonic("ActiveEnterTimestampMonotonic", "multi-user.target") - at) / 1000
}

// neighbour tells the network where the machine is: one that is not known is
// asked for once a second, and all times would be whole seconds.
func (g *benchGuest) neighbour() {
	g.b.Helper()
	output(g.b, exec.Command("ip", "netns", "exec", filepath.Base(g.fabric.Namespace()),
		"ip", "neighbour", "replace", guest.Lease, "lladdr", guest.MAC, "nud", "permanent", "dev", "br0"))
}

// firstLogin tries until one comes about.
func (g *benchGuest) firstLogin(user string, argv ...string) {
	g.b.Helper()
	all, cancel := context.WithTimeout(context.Background(), g.within)
	defer cancel()
	var last error
	for all.Err() == nil {
		// Without an address the machine drops what it is sent, and the next
		// try of the same connection would come a second later.
		knock, stop := context.WithTimeout(all, 5*time.Millisecond)
		conn, err := g.fabric.Dial(knock, "tcp", guest.Lease+":22")
		stop()
		if err != nil {
			last = err
			continue
		}
		conn.Close()
		r, err := g.fabric.Login(all, g.image.Key, user, guest.Lease, argv...)
		if err == nil && r.Code == 0 {
			return
		}
		last = err
	}
	g.b.Fatalf("nobody came in: %v\n%s", last, g.Console())
}

// monotonic is a time of systemd's, in microseconds.
func (g *benchGuest) monotonic(property string, unit ...string) float64 {
	g.b.Helper()
	v, err := strconv.ParseFloat(g.on(append([]string{"systemctl", "show", "-P", property}, unit...)...), 64)
	g.check(err)
	return v
}
