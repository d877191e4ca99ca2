package integration_test

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reveille/coordinator/api"
	"reveille/integration/guest"
)

// BenchmarkRouteContainer is the time from the moment when there is a way to
// the metadata service until the name-service files are in place: of the
// daemon, which waits for that moment, against a bare program that asks the
// same and writes the same bytes in the same machine.
func BenchmarkRouteContainer(b *testing.B) { compareRoute(b, guest.Container, b.N*25) }

// BenchmarkRouteVM is the same under emulation.
func BenchmarkRouteVM(b *testing.B) { compareRoute(b, guest.VM, b.N*5) }

// nameService is what names and accounts are looked up by.
var nameService = []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/nslcd.conf", "/etc/ldap/ldap.conf"}

func compareRoute(b *testing.B, kind guest.Kind, rounds int) {
	lab := newBenchLab(b, kind)
	files := []guest.File{benchRole(b), benchProgram(b, "bare"),
		{Path: "/etc/systemd/system/systemd-networkd.service", Link: "/dev/null"},
		{Path: "/etc/systemd/system/systemd-networkd.socket", Link: "/dev/null"}}
	work := lab.workOf(files)
	var agent, bare []float64
	for round := range rounds {
		g := lab.boot("agent", append(files, work)...)
		g.cable()
		if round%2 == 0 { // each goes first as often as the other
			g.on("systemctl", "stop", "reveille")
			bare = append(bare, g.bare(work.Path))
			g.on("ip", "route", "delete", "default")
			g.on("systemctl", "start", "--no-block", "reveille")
			agent = append(agent, g.untilNames())
		} else {
			agent = append(agent, g.untilNames())
			g.on("systemctl", "stop", "reveille")
			g.on("ip", "route", "delete", "default")
			bare = append(bare, g.bare(work.Path))
		}
		g.close()
	}
	row(b, "bare", "ms", median(bare))
	row(b, "agent", "ms", median(agent), "of-bare", median(agent)/median(bare))
}

// workOf lets the agent make a pass, and is the same questions and bytes for
// the bare program.
func (l *benchLab) workOf(files []guest.File) guest.File {
	l.b.Helper()
	g := l.boot("agent", files...)
	defer g.close()
	g.cable()
	g.untilNames()
	const base, into = "http://" + guest.Metadata, "/var/lib/bare"
	work := struct {
		Token, Base string
		Ask         []string
		Write       map[string][]byte
	}{Token: base + "/latest/api/token", Base: base, Write: map[string][]byte{}}
	for _, r := range g.imds.Server.Requests() {
		if r.Method == http.MethodGet {
			work.Ask = append(work.Ask, r.Path)
		}
	}
	g.on("mkdir", into)
	for _, file := range nameService {
		work.Write[path.Join(into, path.Base(file))] = []byte(g.on("cat", file) + "\n")
	}
	text, err := json.Marshal(work)
	g.check(err)
	return guest.File{Path: into + "/work", Data: text}
}

// cable gives a machine that has booted its address, and no way anywhere.
func (g *benchGuest) cable() {
	g.b.Helper()
	g.on("sh", "-c", "until systemctl --quiet is-active multi-user.target; do sleep 0.05; done; ip link set eth0 up; ip address add "+guest.Lease+"/16 dev eth0")
}

// bare runs the bare program and returns its milliseconds.
func (g *benchGuest) bare(work string) float64 {
	g.b.Helper()
	ms, err := strconv.ParseFloat(g.on("bare", work), 64)
	g.check(err)
	return ms
}

// untilNames gives a machine whose agent waits the way to the metadata
// service, and returns how long the agent then took, in milliseconds.
func (g *benchGuest) untilNames() float64 {
	g.b.Helper()
	g.on("sh", "-c", "until systemctl show -P StatusText reveille | grep -q 'waiting for'; do sleep 0.05; done")
	ns, err := strconv.ParseInt(g.on("bare"), 10, 64)
	g.check(err)
	g.on("reveille", "wait", "--timeout", "5m")
	var r api.Report
	g.onJSON(&r, "cat", "/run/reveille/report.json")
	began, err := time.Parse(time.RFC3339Nano, r.Started)
	g.check(err)
	var last time.Time
	wrote := 0
	for _, s := range r.Steps {
		if slices.Contains(nameService, strings.TrimPrefix(s.ID, "file:")) && s.State == "changed" {
			wrote++
			at := began.Add(time.Duration((s.StartMS + s.TookMS) * float64(time.Millisecond)))
			if at.After(last) {
				last = at
			}
		}
	}
	if wrote != len(nameService) || last.Before(time.Unix(0, ns)) {
		g.b.Fatalf("the pass wrote %d of %d name-service files at %s, and the way was there at %s: %+v", wrote, len(nameService), last, time.Unix(0, ns), r)
	}
	return float64(last.Sub(time.Unix(0, ns)).Microseconds()) / 1000
}
